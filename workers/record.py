"""A record as the runtime handles it, whichever way it came: from a poll or out of the parked queue."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from events.context import Context
from events.declaration import Declaration, Event, Fact, find_declaration, same_event
from events.envelope import Headers, Received, read_event
from workers.failures import Poison
from workers.worker import Handler, Worker

TYPE_HEADER = "ce_type"
# Below the broker's default message.max.bytes (1,048,588), so that a record too large is refused here, before
# anything of its key was sent.
MAX_RECORD_BYTES = 1_000_000


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What Kafka holds, byte for byte, and where."""

    topic: str
    partition: int
    offset: int
    recorded_at: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def type(self) -> str:
        """The event type the headers claim, or an empty string."""
        return self.header(TYPE_HEADER)

    def header(self, wanted: str) -> str:
        """Return the last header of that name as text, or an empty string."""
        return text_of(headers=self.headers, name=wanted)

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way into one worker. `event` is None when the record is poison."""

    record: Record
    event_id: UUID
    line: bytes
    handler: Handler | None = None
    event: Received[Fact] | None = None
    poison: Poison | None = None

    @property
    def type(self) -> str:
        return self.record.type

    @property
    def context(self) -> Context:
        """The trace this event belongs to, and the event itself, for what is done and logged about it."""
        return Context(
            traceparent=self.record.header("traceparent"),
            tracestate=self.record.header("tracestate"),
            event_id=self.event_id,
            order_id=self.line.decode(errors="replace") if _is_about_an_order(event_type=self.type) else "",
        )


def _is_about_an_order(*, event_type: str) -> bool:
    declaration = find_declaration(name=event_type)
    return declaration is not None and issubclass(declaration.struct, Event)


def text_of(*, headers: Sequence[tuple[str, bytes | None]], name: str) -> str:
    """Return the last header of that name as text, or an empty string."""
    for known, value in reversed(headers):
        if known == name:
            return (value or b"").decode(errors="replace")
    return ""


def dead_letter_topic(*, topic: str) -> str:
    """Return the name of the topic that takes the dead letters of `topic`."""
    return f"{topic}.DLT"


def record_from_kafka(consumed: Any) -> Record:
    """Return the record of a kafka-python `ConsumerRecord`."""
    return Record(
        topic=consumed.topic,
        partition=consumed.partition,
        offset=consumed.offset,
        recorded_at=datetime.fromtimestamp(max(consumed.timestamp, 0) / 1000, UTC),
        key=consumed.key,
        value=consumed.value,
        headers=consumed.headers,
    )


def is_wanted(*, worker: Worker, event_type: str) -> bool:
    """Say whether a record of this type concerns the worker: one it handles, or another version of one."""
    if event_type in worker.handlers:
        return True
    if not event_type or find_declaration(name=event_type):
        return False
    return any(same_event(name=event_type, other=handled) for handled in worker.handlers)


def open_record(*, worker: Worker, record: Record) -> Delivery:
    """Read a wanted record for a worker; one that cannot be read becomes a delivery with `poison`."""
    event_id = _event_id(record=record)
    line = record.key if record.key else str(event_id).encode()
    handler = worker.handlers.get(record.type)
    declaration = find_declaration(name=record.type)
    try:
        event = read_record(declaration=declaration, record=record)
    except Poison as poison:
        return Delivery(record=record, event_id=event_id, line=line, poison=poison)
    return Delivery(record=record, event_id=event_id, line=line, handler=handler, event=event)


def read_record(*, declaration: Declaration | None, record: Record) -> Received[Fact]:
    """Return the event a record carries; raises `Poison` with the reason when it cannot be read."""
    if declaration is None:
        raise Poison(f"This worker does not know version {record.type!r} of the event.")
    if record.value is None:
        raise Poison("The record has no value.")
    try:
        event = read_event(declaration=declaration, headers=record.headers, value=record.value)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Poison(str(error)) from error
    if record.key != event.data.key.encode():
        raise Poison("The record's key is not that of what its event is about.")
    return event


def _event_id(*, record: Record) -> UUID:
    # A record without a readable id still needs one that stays the same when it is delivered again.
    try:
        return UUID(record.header("ce_id"))
    except ValueError:
        return uuid5(NAMESPACE_URL, f"kafka:{record.place}")
