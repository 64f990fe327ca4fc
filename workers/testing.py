"""Doors for tests of handlers: facts go in through the real batch path, events come out of the outbox."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from typing import TypeVar
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from events.declaration import Fact, declaration_of
from events.envelope import write_headers
from events.models import OutboxEvent
from workers.batch import Plan, handle
from workers.calls import Caller
from workers.health import Pulse
from workers.inbox import KAFKA
from workers.parked import settle_calls
from workers.periodic import run_all
from workers.record import Record, open_record
from workers.worker import Worker

E = TypeVar("E", bound=Fact)

_offsets = count()


def record_of(event: Fact, *, sequence: int = 1, event_id: UUID | None = None) -> Record:
    """Return the Kafka record that this event would travel as."""
    declaration = declaration_of(type(event))
    key = event.key
    return Record(
        topic=declaration.topic,
        partition=0,
        offset=next(_offsets),
        recorded_at=datetime.now(UTC),
        key=key.encode(),
        value=msgspec.json.encode(event),
        headers=write_headers(
            declaration=declaration, event_id=event_id or uuid7(), key=key, sequence=sequence, cause=None
        ),
    )


def deliver(worker: Worker, *events: Fact, sequence: int = 1) -> None:
    """Hand events to a worker as one batch."""
    deliver_records(worker, [record_of(event, sequence=sequence) for event in events])


def deliver_records(worker: Worker, records: Sequence[Record]) -> None:
    """Hand records to a worker as one batch; the same record again is a second delivery."""
    deliveries = [open_record(worker=worker, record=record) for record in records]
    caller: Caller[Plan]
    with Caller(pulse=Pulse()) as caller:
        handle(worker=worker, deliveries=deliveries, source=KAFKA, caller=caller)
        caller.close()
        settle_calls(worker=worker, caller=caller)


def run_periodic(worker: Worker) -> None:
    """Run all periodic work of a worker once."""
    caller: Caller[Plan]
    with Caller(pulse=Pulse()) as caller:
        run_all(worker=worker, caller=caller)


def published(struct: type[E]) -> list[E]:
    """Return the events of this class that wait in the outbox, oldest first."""
    rows = OutboxEvent.objects.filter(type=declaration_of(struct).name).order_by("id")
    return [msgspec.json.decode(bytes(row.payload or b""), type=struct) for row in rows]
