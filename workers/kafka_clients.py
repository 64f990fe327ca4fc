"""The Kafka clients of the runtime, made in one place so that their settings agree.

Make them after a fork: a client owns threads and sockets.
"""

import socket
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError
from kafka.partitioner.default import DefaultPartitioner, murmur2

from workers.failures import DependencyDown
from workers.record import MAX_RECORD_BYTES

_REQUEST_TIMEOUT_MS = 30_000
_BOOTSTRAP_TIMEOUT_MS = 5_000
_MAX_POLL_RECORDS = 500
_ENOUGH_BYTES = 65_536
_SHORTEST_WAIT_SECONDS = 0.02
# How long the partitions of a worker that was killed wait for its successor; heartbeats come from a thread of
# their own, so a slow batch does not cost the membership.
_SESSION_TIMEOUT_MS = 10_000
_HEARTBEAT_MS = 2_000


def group_consumer(*, group: str, gather_ms: int) -> Any:
    """Return a consumer of the group: manual commit, from the earliest record, no auto-created topics.

    With `gather_ms` the broker answers when that time is over, or when there is enough for a batch.
    """
    gathering = {"fetch_min_bytes": _ENOUGH_BYTES, "fetch_max_wait_ms": gather_ms} if gather_ms else {}
    consumer = _make(
        KafkaConsumer,
        metrics_enabled=False,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
        partition_assignment_strategy=(CooperativeStickyAssignor,),
        session_timeout_ms=_SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=_HEARTBEAT_MS,
        max_poll_records=_MAX_POLL_RECORDS,
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
        **gathering,
    )
    _never_spin(consumer)
    return consumer


def _never_spin(consumer: Any) -> None:
    """Let a poll wait for a moment even when a heartbeat is overdue.

    kafka-python (3.0.12) waits for records no longer than until the next heartbeat, and not at all while one is overdue
    because the answer to the last is late: then a poll turns round and round on a whole core until its time is over.
    """
    coordinator = consumer._coordinator
    time_to_next_poll = coordinator.time_to_next_poll
    coordinator.time_to_next_poll = lambda: max(_SHORTEST_WAIT_SECONDS, time_to_next_poll())


def bare_consumer() -> Any:
    """Return a consumer without a group, for reading along or from the beginning."""
    return _make(
        KafkaConsumer,
        metrics_enabled=False,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
    )


def idempotent_producer() -> Any:
    """Return a producer whose acknowledgement means that every in-sync replica has the record."""
    return _make(
        KafkaProducer,
        metrics_enabled=False,
        acks="all",
        enable_idempotence=True,
        partitioner=KeyPartitioner(),
        linger_ms=0,
        batch_size=262_144,
        compression_type="lz4",
        max_request_size=MAX_RECORD_BYTES,
        allow_auto_create_topics=False,
        max_block_ms=10_000,
        delivery_timeout_ms=60_000,
    )


class KeyPartitioner(DefaultPartitioner):  # type: ignore[misc]
    """Every Kafka client's choice of a key's partition, remembered for a while.

    kafka-python hashes in Python, and an order's events follow each other closely: a tenth of the relay's time.
    """

    def partition(
        self,
        topic: str,
        key: Any,
        serialized_key: bytes | None,
        value: Any,
        serialized_value: bytes | None,
        cluster: Any,
    ) -> int:
        """Return the partition of a record with this key; see kafka-python's `DefaultPartitioner`."""
        partitions = cluster.partitions_for_topic(topic)
        if not serialized_key or not partitions:
            return int(super().partition(topic, key, serialized_key, value, serialized_value, cluster))
        return int(sorted(partitions)[_hash(serialized_key) % len(partitions)])


@lru_cache(maxsize=10_000)
def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


def admin_client(*, timeout_ms: int = _REQUEST_TIMEOUT_MS) -> Any:
    """Return a client for creating and describing topics and groups, whose requests take so long at most."""
    return _make(
        KafkaAdminClient,
        request_timeout_ms=timeout_ms,
        bootstrap_timeout_ms=min(timeout_ms, _BOOTSTRAP_TIMEOUT_MS),
    )


def glancing_consumer(*, timeout_ms: int) -> Any:
    """Return a consumer without a group that reads single records here and there."""
    return _make(
        KafkaConsumer,
        metrics_enabled=False,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
        max_partition_fetch_bytes=4_096,  # a batch that is larger comes whole all the same
        fetch_max_wait_ms=100,
        request_timeout_ms=timeout_ms,
        bootstrap_timeout_ms=min(timeout_ms, _BOOTSTRAP_TIMEOUT_MS),
    )


def _make(client: Any, **options: Any) -> Any:
    try:
        return client(**{**_connection(), **options})
    except (KafkaError, OSError) as error:
        raise DependencyDown(f"Kafka at {','.join(_servers())} ({error})") from error


def _connection() -> dict[str, Any]:
    return {
        "bootstrap_servers": _servers(),
        "client_id": f"waybill-{socket.gethostname()}",
        "bootstrap_timeout_ms": _BOOTSTRAP_TIMEOUT_MS,
        "reconnect_backoff_max_ms": 1_000,
        **settings.KAFKA_SECURITY,
    }


def _servers() -> Sequence[str]:
    servers: list[str] = settings.KAFKA_BOOTSTRAP_SERVERS
    return servers
