"""`python -m bench.consuming KIND EVENTS`: one consumer of the bench's topic; prints events a second."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import django

django.setup()

import msgspec  # noqa: E402  (Django first)
from django.db import connection, transaction  # noqa: E402
from kafka.admin import NewTopic  # noqa: E402
from uuid_utils.compat import uuid7  # noqa: E402

from events import Event, Received, event  # noqa: E402
from events.declaration import declaration_of  # noqa: E402
from events.envelope import write_headers  # noqa: E402
from workers import Worker  # noqa: E402
from workers.collector import spare_collector  # noqa: E402
from workers.consumer import ConsumerLoop  # noqa: E402
from workers.health import Pulse  # noqa: E402
from workers.kafka_clients import admin_client, group_consumer, idempotent_producer  # noqa: E402
from workers.stopping import Stop  # noqa: E402

_TOPIC = "bench"
_PARTITIONS = 3
_TAKE = (
    "INSERT INTO workers_inboxentry (consumer, event_id) SELECT %s, unnest(%s::uuid[]) ON CONFLICT DO NOTHING"
)
_TABLE = "CREATE TABLE IF NOT EXISTS bench_heard (event_id uuid PRIMARY KEY, note text)"


@event(topic=_TOPIC)
class Backlog(Event, frozen=True, kw_only=True):
    """One of many."""

    note: str


class Progress:
    """Counts events, and times them from the end of the first batch on."""

    def __init__(self, *, events: int) -> None:
        self._events = events
        self._count = self._first = 0
        self._started_at = 0.0
        self.per_second = 0.0
        self.over = threading.Event()

    def heard(self, count: int) -> None:
        """Note that so many events were handled."""
        self._count += count
        if not self._started_at:
            self._started_at, self._first = time.monotonic(), self._count
        elif self._count >= self._events:
            self.per_second = (self._count - self._first) / (time.monotonic() - self._started_at)
            self.over.set()


def fill(*, events: int) -> None:
    """Write the backlog to its topic."""
    admin = admin_client()
    admin.create_topics([NewTopic(name=_TOPIC, num_partitions=_PARTITIONS, replication_factor=1)])
    admin.close()
    producer = idempotent_producer()
    declaration = declaration_of(Backlog)
    sent = []
    for number in range(events):
        fact = Backlog(order_id=uuid7(), note="x" * 300)
        key = str(fact.order_id)
        headers = write_headers(
            declaration=declaration, event_id=uuid7(), key=key, sequence=number, cause=None
        )
        value = msgspec.json.encode(fact)
        sent.append(producer.send(_TOPIC, key=key.encode(), value=value, headers=headers))
    for future in sent:
        future.get(timeout=60)
    producer.close(timeout=10)


def floor(*, progress: Progress) -> None:
    """A bare loop: poll, decode, write the ids to the inbox, commit both."""
    consumer = group_consumer(group="bench-floor", gather_ms=0)
    consumer.subscribe([_TOPIC])
    while not progress.over.is_set():
        records = [one for batch in consumer.poll(timeout_ms=200).values() for one in batch]
        if not records:
            continue
        ids = [UUID(dict(record.headers)["ce_id"].decode()) for record in records]
        for record in records:
            msgspec.json.decode(record.value, type=Backlog)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TAKE, ["bench-floor", ids])
        consumer.commit(timeout_ms=10_000)
        progress.heard(len(records))
    consumer.close(autocommit=False)


def bulk(events: Sequence[Received[Any]]) -> None:
    """What a handler does that has nothing to do."""


def one_by_one(events: Sequence[Received[Any]]) -> None:
    """A statement for each event."""
    with connection.cursor() as cursor:
        for heard in events:
            cursor.execute("INSERT INTO bench_heard VALUES (%s, %s)", [heard.id, heard.data.note])


def consume(*, name: str, handler: Callable[[Sequence[Received[Any]]], None], progress: Progress) -> None:
    """Run a worker's loop over the backlog until it is through."""
    worker = Worker(f"bench-{name}", dead_letter="release")

    @worker.on(Backlog)
    def count(events: Sequence[Received[Any]]) -> None:
        handler(events)
        progress.heard(len(events))

    stop = Stop()
    threading.Thread(target=_stop_when_over, args=[progress, stop], daemon=True).start()
    ConsumerLoop(worker=worker, stop=stop, pulse=Pulse()).run()


def _stop_when_over(progress: Progress, stop: Stop) -> None:
    progress.over.wait()
    stop.ask()


def main() -> None:
    """Do what the command line asks for."""
    kind, events = sys.argv[1], int(sys.argv[2])
    progress = Progress(events=events)
    spare_collector()
    if kind == "fill":
        fill(events=events)
    elif kind == "floor":
        floor(progress=progress)
    else:
        with connection.cursor() as cursor:
            cursor.execute(_TABLE)
        consume(name=kind, handler={"bulk": bulk, "one_by_one": one_by_one}[kind], progress=progress)
    print(round(progress.per_second, 1))


if __name__ == "__main__":
    main()
