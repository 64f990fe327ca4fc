"""Reading topics again from the beginning, for read models that are built anew."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection
from kafka import TopicPartition

from events.declaration import Fact, find_declaration
from events.envelope import Received
from workers.failures import Poison
from workers.inbox import handled
from workers.kafka_clients import bare_consumer
from workers.record import read_record, record_from_kafka
from workers.worker import Worker

_TIMEOUT_MS = 30_000
_CHUNK = 1_000
_REMEMBER = "CREATE TEMPORARY TABLE workers_replayed (event_id uuid PRIMARY KEY) ON COMMIT DROP"
_NEW = "INSERT INTO workers_replayed SELECT unnest(%s::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id"


def read_topics(*, topics: Sequence[str]) -> Iterator[Received[Fact]]:
    """Yield every readable event that Kafka still keeps of these topics; one that was sent twice comes twice.

    Events of one order come in order within a topic; between topics there is no order. Ends where the topics
    ended when it began. Raises `DependencyDown` when Kafka cannot be reached.
    """
    consumer = bare_consumer()
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions, timeout_ms=_TIMEOUT_MS)
        yield from _until(consumer=consumer, ends=ends)
    finally:
        consumer.close(autocommit=False)


def _until(*, consumer: object, ends: dict[TopicPartition, int]) -> Iterator[Received[Fact]]:
    while any(consumer.position(partition) < end for partition, end in ends.items()):  # type: ignore[attr-defined]
        polled = consumer.poll(timeout_ms=1_000)  # type: ignore[attr-defined]
        for partition, batch in polled.items():
            for consumed in batch:
                event = _readable(consumed=consumed)
                if event and consumed.offset < ends[partition]:
                    yield event


def _readable(*, consumed: object) -> Received[Fact] | None:
    record = record_from_kafka(consumed)
    declaration = find_declaration(name=record.type)
    try:
        return read_record(declaration=declaration, record=record)
    except Poison:
        return None


def read_handled(*, worker: Worker, structs: Sequence[type[Fact]]) -> Iterator[Received[Fact]]:
    """In the caller's transaction: yield the events of these types that the worker's inbox knows, each once.

    What was seen is remembered in a temporary table, so memory does not grow with the topics. See `read_topics`.
    """
    wanted = tuple(structs)
    events = (event for event in read_topics(topics=worker.topics) if isinstance(event.data, wanted))
    _execute(_REMEMBER)
    while chunk := {event.id: event for event in islice(events, _CHUNK)}:
        new = {event_id for (event_id,) in _execute(_NEW, [list(chunk)])}
        known = handled(worker=worker, event_ids=list(new))
        yield from (event for event in chunk.values() if event.id in known)


def _execute(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[UUID]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []
