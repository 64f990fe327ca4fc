"""How an event travels: CloudEvents 1.0 in the Kafka protocol binding's binary mode.

Source of the header names: CloudEvents 1.0.2, Kafka Protocol Binding, section 3.2.
"""

from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from events.context import child_of, current_context, new_trace
from events.declaration import Declaration, Event, Fact

E_co = TypeVar("E_co", bound=Fact, covariant=True)
# Kafka allows a header without a value.
Headers = list[tuple[str, bytes | None]]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What an event inherits from the one that led to it."""

    id: UUID
    correlation_id: str
    traceparent: str
    tracestate: str = ""


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
    traceparent, tracestate = _trace(cause=cause)
    values = {
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_source": f"/waybill/{declaration.topic}",
        "ce_type": declaration.name,
        "ce_time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "ce_subject": key,
        "ce_dataschema": f"/schemas/{declaration.name}.json",
        "content-type": "application/json",
        "traceparent": traceparent,
        "correlationid": cause.correlation_id if cause else str(event_id),
        "sequence": str(sequence),
    }
    if tracestate:
        values["tracestate"] = tracestate
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
            tracestate=text_header(headers=named, name="tracestate") if "tracestate" in named else "",
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


def _trace(*, cause: Cause | None) -> tuple[str, str]:
    """Return traceparent and tracestate of a new event: of its cause's trace, else of the request's, else new ones."""
    origin = cause or current_context()
    if origin is None:
        return new_trace(), ""
    return child_of(origin.traceparent), origin.tracestate
