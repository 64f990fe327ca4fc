"""Where the consumer groups stand: members, and how far each is behind the end of its topics.

Read from the brokers and not by the workers themselves, so that a worker which is dead, paused or stuck is seen as
well as one that runs.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from workers.failures import DependencyDown
from workers.kafka_clients import admin_client, glancing_consumer
from workers.worker import Worker

_FIRST_RECORDS_SECONDS = 1.0

# Kafka's word for a group that has not committed anything in a partition.
_NOTHING_COMMITTED = -1


class PartitionLag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a group is behind in one partition: records, and the age of the first of them in seconds."""

    topic: str
    partition: int
    records: int
    seconds: float


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's consumer group."""

    worker: str
    members: int
    partitions: tuple[PartitionLag, ...]

    @property
    def records(self) -> int:
        """How many records it has not handled yet."""
        return sum(one.records for one in self.partitions)

    @property
    def seconds(self) -> float:
        """For how long the oldest of them has been in Kafka."""
        return max((one.seconds for one in self.partitions), default=0.0)


class Observer:
    """Two clients that are kept, since making them takes longer than asking; one thread at a time may use it."""

    def __init__(self, *, timeout_ms: int) -> None:
        self._timeout_ms = timeout_ms
        self._admin: Any = None
        self._consumer: Any = None

    def read_groups(self, *, workers: Sequence[Worker]) -> list[Group]:
        """Return where each worker's group stands. Raises `DependencyDown` when Kafka does not answer in time."""
        try:
            self._connect()
            return self._read(workers=workers)
        except (KafkaError, OSError) as error:
            self.close()
            raise DependencyDown(f"Kafka ({error!r})") from error

    def close(self) -> None:
        """Let go of the clients; the next reading makes new ones."""
        admin, consumer = self._admin, self._consumer
        self._admin = self._consumer = None
        if admin:
            admin.close()
        if consumer:
            consumer.close(autocommit=False)

    def _connect(self) -> None:
        self._admin = self._admin or admin_client(timeout_ms=self._timeout_ms)
        self._consumer = self._consumer or glancing_consumer(timeout_ms=self._timeout_ms)

    def _read(self, *, workers: Sequence[Worker]) -> list[Group]:
        names = [worker.name for worker in workers]
        described = self._admin.describe_groups(names)
        committed = self._admin.list_group_offsets(names)
        partitions = self._partitions(topics={topic for worker in workers for topic in worker.topics})
        begins, ends = (
            self._offsets(partitions, OffsetSpec.EARLIEST),
            self._offsets(partitions, OffsetSpec.LATEST),
        )
        behind = {
            (worker.name, one): _next_offset(committed=committed[worker.name].get(one), begin=begins[one])
            for worker in workers
            for one in partitions
            if one.topic in worker.topics
        }
        since = self._times({(one, at) for (_, one), at in behind.items() if at < ends[one]})
        return [
            Group(
                worker=name,
                members=len(described[name]["members"]),
                partitions=tuple(
                    _lag(partition=one, position=at, end=ends[one], since=since.get((one, at)))
                    for (worker, one), at in behind.items()
                    if worker == name
                ),
            )
            for name in names
        ]

    def _partitions(self, *, topics: set[str]) -> list[TopicPartition]:
        described = self._admin.describe_topics(sorted(topics))
        return [
            TopicPartition(topic["name"], partition["partition_index"])
            for topic in described
            for partition in topic["partitions"]
        ]

    def _offsets(self, partitions: Sequence[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        found = self._admin.list_partition_offsets(
            dict.fromkeys(partitions, spec), timeout_ms=self._timeout_ms
        )
        return {partition: offset.offset for partition, offset in found.items()}

    def _times(self, places: set[tuple[TopicPartition, int]]) -> dict[tuple[TopicPartition, int], float]:
        """Return when the records at these offsets came into Kafka, as seconds of the epoch; as far as they come soon.

        A partition can be read at one place at a time, so groups that stand apart in one take several rounds.
        """
        found: dict[tuple[TopicPartition, int], float] = {}
        deadline = time.monotonic() + _FIRST_RECORDS_SECONDS
        left = set(places)
        while left and time.monotonic() < deadline:
            round_ = dict(sorted(left))
            found |= self._first_times(round_, deadline=deadline)
            left -= set(round_.items())
        return found

    def _first_times(
        self, places: Mapping[TopicPartition, int], *, deadline: float
    ) -> dict[tuple[TopicPartition, int], float]:
        consumer = self._consumer
        consumer.assign(list(places))
        for partition, offset in places.items():
            consumer.seek(partition, offset)
        found: dict[tuple[TopicPartition, int], float] = {}
        while len(found) < len(places) and time.monotonic() < deadline:
            for partition, records in consumer.poll(timeout_ms=50).items():
                found.setdefault((partition, places[partition]), records[0].timestamp / 1000)
                consumer.pause(partition)
        return found


def _next_offset(*, committed: Any, begin: int) -> int:
    offset = _NOTHING_COMMITTED if committed is None else int(committed.offset)
    return max(offset, begin)


def _lag(*, partition: TopicPartition, position: int, end: int, since: float | None) -> PartitionLag:
    return PartitionLag(
        topic=partition.topic,
        partition=partition.partition,
        records=max(end - position, 0),
        seconds=0.0 if since is None else max(time.time() - since, 0.0),
    )
