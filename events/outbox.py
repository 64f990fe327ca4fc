"""The outbox: the only way into Kafka.

`publish` writes the event in the caller's transaction, so the event exists exactly when the change it tells
of does. The relay (`workers.relay`) carries it on.

Rule: lock the aggregate's row before publishing. Ids are then handed out in commit order for one key, and
that order is the order in the topic.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zlib import crc32

import msgspec
from django.db import connection, transaction
from uuid_utils.compat import uuid7

from events.declaration import Fact, declaration_of
from events.envelope import Cause, Headers, write_headers
from events.models import SHARDS, OutboxEvent
from events.wakeup import wake_relay

_NAMES = (
    *("event_id", "shard", "topic", "key", "type", "headers", "payload"),
    *("aggregate_type", "aggregate_id", "aggregate_version"),
)
_COLUMNS = ", ".join(_NAMES)
# One row, as a checkout writes it, goes fastest by a statement that is planned once, many by COPY: for each row
# that takes a third of what INSERT takes, on both ends.
_INSERT = f"INSERT INTO events_outboxevent ({_COLUMNS}) VALUES ({', '.join(['%s'] * 10)})"  # noqa: S608  (constants)
_COPY = f"COPY events_outboxevent ({_COLUMNS}) FROM STDIN"


class NotInTransaction(RuntimeError):
    """An event was published outside a transaction."""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """An event to publish: `version` is that of the aggregate after the change the event tells of."""

    event: Fact
    aggregate_type: str
    aggregate_id: UUID
    version: int
    cause: Cause | None = None


class RawRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record to send on byte for byte, as dead letters are."""

    event_id: UUID
    topic: str
    type: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def publish(
    event: Fact, *, aggregate_type: str, aggregate_id: UUID, version: int, cause: Cause | None = None
) -> UUID:
    """Write one event to the outbox and return its id.

    `version` is the aggregate's after the change, `cause` that of the event being handled, if any.
    Raises `NotInTransaction`, `UndeclaredEvent`, or `msgspec.ValidationError` where it breaks its schema.
    """
    [event_id] = publish_all(
        [
            Outgoing(
                event=event,
                aggregate_type=aggregate_type,
                aggregate_id=aggregate_id,
                version=version,
                cause=cause,
            )
        ]
    )
    return event_id


def publish_all(outgoing: Sequence[Outgoing]) -> list[UUID]:
    """Write many events to the outbox with one statement, in the given order; see `publish`."""
    rows = [_row(outgoing=one) for one in outgoing]
    _insert(rows=rows)
    return [row[0] for row in rows]


def publishing_clause(*, source: str) -> str:
    """Return the INSERT that publishes an event for each row of `source`, a WITH query of the caller's statement.

    A change and its event written by one statement are one transaction in one round trip. The clause takes
    `publishing_parameters`; after the statement the caller says `published`.
    """
    values = ", ".join(f"%(outbox_{name})s" for name in _NAMES)
    return f"INSERT INTO events_outboxevent ({_COLUMNS}) SELECT {values} FROM {source}"  # noqa: S608  (constants)


def publishing_parameters(*, outgoing: Outgoing) -> dict[str, Any]:
    """Return the parameters of `publishing_clause`; raises as `publish` does."""
    return {f"outbox_{name}": value for name, value in zip(_NAMES, _row(outgoing=outgoing), strict=True)}


def published() -> None:
    """Say that a statement with a `publishing_clause` was run: the relay is woken when it is committed."""
    transaction.on_commit(wake_relay)


def publish_raw(records: Sequence[RawRecord]) -> None:
    """Write records to the outbox whose key, value and headers are already made."""
    _insert(
        rows=[
            (
                one.event_id,
                shard_of(key=one.key or b""),
                one.topic,
                one.key,
                one.type,
                msgspec.msgpack.encode(one.headers),
                one.value,
                "record",
                str(one.event_id),
                0,
            )
            for one in records
        ]
    )


def _row(*, outgoing: Outgoing) -> tuple[Any, ...]:
    declaration = declaration_of(type(outgoing.event))
    payload = msgspec.json.encode(outgoing.event)
    msgspec.json.decode(payload, type=declaration.struct)  # a struct does not check itself when it is made
    event_id = uuid7()
    key = outgoing.event.key
    headers = write_headers(
        declaration=declaration,
        event_id=event_id,
        key=key,
        sequence=outgoing.version,
        cause=outgoing.cause,
    )
    return (
        event_id,
        shard_of(key=key.encode()),
        declaration.topic,
        key.encode(),
        declaration.name,
        msgspec.msgpack.encode(headers),
        payload,
        outgoing.aggregate_type,
        str(outgoing.aggregate_id),
        outgoing.version,
    )


def _insert(*, rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    _require_transaction()
    with connection.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(_INSERT, rows[0])
        else:
            _copy(cursor=cursor, rows=rows)
    transaction.on_commit(wake_relay)


def _copy(*, cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    with cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def _require_transaction() -> None:
    # The transaction a test case wraps around itself is not one the code under test has opened.
    if all(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise NotInTransaction(
            "publish() needs the transaction of the change it tells of: wrap both in transaction.atomic()."
        )


def unblock(*, row_id: int) -> bool:
    """Let the relay try a blocked row again, and the rows behind it; return False if it is not blocked (any more)."""
    blocked = OutboxEvent.objects.filter(id=row_id, blocked_at__isnull=False)
    freed = blocked.update(blocked_at=None, blocked_reason="")
    transaction.on_commit(wake_relay)
    return bool(freed)


def shard_of(*, key: bytes) -> int:
    """Return the shard of the outbox that holds the records with this key."""
    return crc32(key) % SHARDS
