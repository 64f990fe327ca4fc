"""How an event travels: CloudEvents 1.0 in the Kafka protocol binding's binary mode.

Source of the header names: CloudEvents 1.0.2, Kafka Protocol Binding, section 3.2.
"""

import secrets
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from events.declaration import Declaration, Event, Fact

E_co = TypeVar("E_co", bound=Fact, covariant=True)
# Kafka allows a header without a value.
Headers = list[tuple[str, bytes | None]]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What an event inherits from the one that led to it."""

    id: UUID
    correlation_id: str
    traceparent: str


class Received(msgspec.Struct, Generic[E_co], frozen=True, kw_only=True):
    """An event as a handler gets it: the fact in `data`, and how it came here."""

    data: E_co
    id: UUID
    type: str
    sequence: int
    at: datetime
    cause: Cause

    @property
    def order_id(self: "Received[Event]") -> UUID:
        return self.data.order_id


class BadEnvelope(ValueError):
    """A record's headers are not those of an event of ours; the message names the header."""


def write_headers(
    *, declaration: Declaration, event_id: UUID, key: str, sequence: int, cause: Cause | None
) -> Headers:
    """Return the headers of a new event, in the order they are written to the record."""
    values = {
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_source": f"/waybill/{declaration.topic}",
        "ce_type": declaration.name,
        "ce_time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "ce_subject": key,
        "ce_dataschema": f"/schemas/{declaration.name}.json",
        "content-type": "application/json",
        "traceparent": child_of(cause.traceparent) if cause else new_trace(),
        "correlationid": cause.correlation_id if cause else str(event_id),
        "sequence": str(sequence),
    }
    if cause:
        values["causationid"] = str(cause.id)
    return [(name, value.encode()) for name, value in values.items()]


def read_event(*, declaration: Declaration, headers: Headers, value: bytes) -> Received[Fact]:
    """Decode and validate a record of a declared type.

    Raises `BadEnvelope` for headers, `msgspec.ValidationError` or `msgspec.DecodeError` for the value.
    """
    named = dict(headers)
    event_id = UUID(text_header(headers=named, name="ce_id"))
    return Received(
        data=msgspec.json.decode(value, type=declaration.struct),
        id=event_id,
        type=declaration.name,
        sequence=int(text_header(headers=named, name="sequence")),
        at=datetime.fromisoformat(text_header(headers=named, name="ce_time")),
        cause=Cause(
            id=event_id,
            correlation_id=text_header(headers=named, name="correlationid"),
            traceparent=text_header(headers=named, name="traceparent"),
        ),
    )


def text_header(*, headers: dict[str, bytes | None], name: str) -> str:
    """Return one header as text; raises `BadEnvelope` when it is missing or not UTF-8."""
    try:
        return (headers[name] or b"").decode()
    except KeyError:
        raise BadEnvelope(f"The record has no {name} header.") from None
    except UnicodeDecodeError:
        raise BadEnvelope(f"The {name} header is not UTF-8.") from None


def new_trace() -> str:
    """Return a fresh W3C trace context (https://www.w3.org/TR/trace-context/, section 3.2)."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child_of(traceparent: str) -> str:
    """Return the trace context of a new span in the same trace."""
    version, trace_id, _parent_id, flags = traceparent.split("-")
    return f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"
