"""The relay: carries committed events from the outbox to Kafka, in order for each key.

A shard of the outbox has one owner at a time, by session advisory lock; a relay that dies loses its session
and with it its shards, and another takes over. No transaction is open while Kafka is spoken to. A row is
deleted only when its own record is acknowledged; whatever is not, is sent again from the first row on, so
that a later row of a key never overtakes an earlier one. The inbox removes the duplicates this makes.
"""

import logging
import math
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from django.db import DatabaseError, connection
from django.utils import timezone
from kafka.errors import KafkaError, MessageSizeTooLargeError
from psycopg import sql

from events.envelope import Headers
from events.models import SHARDS, OutboxEvent
from events.wakeup import CHANNEL
from workers import metrics
from workers.consumer import Pause
from workers.failures import DependencyDown
from workers.health import Pulse
from workers.kafka_clients import idempotent_producer
from workers.record import MAX_RECORD_BYTES
from workers.stopping import Stop

logger = logging.getLogger(__name__)

_BATCH = 500
_ACKNOWLEDGE_SECONDS = 65.0
_SHORTEST_POLL_SECONDS = 0.010
_LONGEST_POLL_SECONDS = 0.100
_REBALANCE_SECONDS = 1.0
# The two-key form of advisory locks leaves the one-key form to others: first the purpose, then the number.
_SHARD_LOCKS = 0x0B0C
_PRESENCE_LOCKS = 0x0B0D

# Shard by shard along the index, so that a read costs the same however long the backlog is: asked for the first rows
# of all shards at once, the planner sorts the whole backlog where its statistics are old. A shard is asked for as a
# range, because rows of one shard come in order along the primary key too, and there the planner walks past all others
# where its statistics were made while one shard had nearly all rows.
# A blocked row holds its key, and only its key.
_READ = """
    SELECT row.* FROM unnest(%s::smallint[]) AS own (shard) CROSS JOIN LATERAL (
        SELECT id, topic, key, headers, payload FROM events_outboxevent
        WHERE shard BETWEEN own.shard AND own.shard AND blocked_at IS NULL AND (
            key IS NULL
            OR (topic, key) NOT IN (
                SELECT topic, key FROM events_outboxevent WHERE blocked_at IS NOT NULL AND key IS NOT NULL
            )
        )
        ORDER BY shard, id LIMIT %s
    ) AS row
"""
# Statistics are old whenever a backlog has just grown. By them the planner would look for blocked rows in the whole
# table, once for every read, where an index has the few there are.
_TRUST_INDEXES = "SET enable_seqscan = off"
_DELETE = "DELETE FROM events_outboxevent WHERE id = ANY(%s)"


class OutboxRow(msgspec.Struct, frozen=True):
    """What the relay reads of a row, in the order of the query's columns."""

    id: int
    topic: str
    key: bytes | None
    headers: bytes
    payload: bytes | None


class UnknownOutcome(Exception):
    """Kafka has not said whether it has a record: everything from the first such row on is sent again."""


class Relay:
    """One relay process; run as many as wanted, they share the shards."""

    def __init__(self, *, stop: Stop, pulse: Pulse) -> None:
        self._stop = stop
        self._pulse = pulse

    def run(self) -> None:
        """Relay until asked to stop. Kafka or the database being away is waited out."""
        pause = Pause(stop=self._stop, pulse=self._pulse)
        while not self._stop.asked:
            try:
                self._relay(pause)
            except UnknownOutcome as unknown:
                logger.warning("relay starts anew from its first unacknowledged row: %s", unknown)
            except DependencyDown as down:
                pause.wait(down)
            except (DatabaseError, psycopg.Error) as error:
                pause.wait(DependencyDown(f"the database ({error})"))
            finally:
                connection.close()

    def _relay(self, pause: Pause) -> None:
        with Shards() as shards, Publisher() as publisher:
            listener = Listener()
            while not self._stop.asked:
                self._pulse.beat()
                rows = _read(shards=shards.owned())
                if rows:
                    _forward(rows=rows, publisher=publisher)
                    pause.over()
                listener.wait(found_any=bool(rows))


class Shards:
    """The shards this relay owns. Each relay takes its fair share of them and gives up what is more."""

    def __init__(self) -> None:
        self._owned: set[int] = set()
        self._look_at = 0.0

    def __enter__(self) -> "Shards":
        _execute(_TRUST_INDEXES, None)
        _execute("SELECT pg_advisory_lock_shared(%s, 0)", [_PRESENCE_LOCKS])
        return self

    def __exit__(self, *_exception: object) -> None:
        """Nothing to undo: the locks end with the session, which the caller closes."""

    def owned(self) -> list[int]:
        """Return the shards owned now, after looking about once a second whether the share is still fair."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _REBALANCE_SECONDS
            self._rebalance()
        return sorted(self._owned)

    def _rebalance(self) -> None:
        fair = math.ceil(SHARDS / max(1, _count_relays()))
        for shard in sorted(self._owned)[fair:]:
            _execute("SELECT pg_advisory_unlock(%s, %s)", [_SHARD_LOCKS, shard])
            self._owned.discard(shard)
        for shard in range(SHARDS):
            if len(self._owned) < fair and shard not in self._owned and _try_lock(shard=shard):
                self._owned.add(shard)


class Publisher:
    """A producer for as long as every outcome is known; after an unknown one, a new one is made."""

    def __enter__(self) -> "Publisher":
        self._producer = idempotent_producer()
        return self

    def __exit__(self, *exception: object) -> None:
        clean = exception[0] is None
        self._producer.close(timeout=5 if clean else 0)

    def send(self, row: OutboxRow) -> Any:
        """Hand one row to the producer; raises `MessageSizeTooLargeError` or `DependencyDown`."""
        headers = msgspec.msgpack.decode(row.headers, type=Headers)
        try:
            return self._producer.send(row.topic, key=row.key, value=row.payload, headers=headers)
        except MessageSizeTooLargeError:
            raise
        except KafkaError as error:
            raise DependencyDown(f"Kafka ({error!r})") from error

    def settle(self, sent: Sequence[tuple[OutboxRow, Any]]) -> tuple[list[int], BaseException | None]:
        """Wait for the acknowledgements; return the acknowledged row ids and the first failure, if any."""
        deadline = time.monotonic() + _ACKNOWLEDGE_SECONDS
        acknowledged: list[int] = []
        failure: BaseException | None = None
        for row, future in sent:
            try:
                future.get(timeout=max(0.0, deadline - time.monotonic()))
                acknowledged.append(row.id)
            except KafkaError as error:
                failure = failure or error
        return acknowledged, failure


class Listener:
    """Waits for a notification, or for the next look at the table: the longer idle, the rarer."""

    def __init__(self) -> None:
        self._seconds = _SHORTEST_POLL_SECONDS
        _execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)), None)

    def wait(self, *, found_any: bool) -> None:
        """Return at once after rows were found; else when something was committed, or time is up."""
        if found_any:
            self._seconds = _SHORTEST_POLL_SECONDS
            return
        notified = list(connection.connection.notifies(timeout=self._seconds, stop_after=1))
        grown = min(_LONGEST_POLL_SECONDS, self._seconds * 2)
        self._seconds = _SHORTEST_POLL_SECONDS if notified else grown


def _forward(*, rows: Sequence[OutboxRow], publisher: Publisher) -> None:
    started = time.monotonic()
    sent: list[tuple[OutboxRow, Any]] = []
    held: set[tuple[str, bytes | None]] = set()
    for row in rows:
        if (row.topic, row.key) in held:
            continue
        try:
            sent.append((row, publisher.send(row)))
        except MessageSizeTooLargeError:
            _block(row=row)
            held.add((row.topic, row.key))
    acknowledged, failure = publisher.settle(sent)
    _execute(_DELETE, [acknowledged])
    metrics.outbox_published.inc(len(acknowledged))
    metrics.outbox_publish_seconds.observe(time.monotonic() - started)
    if failure:
        raise UnknownOutcome(repr(failure)) from failure


def _block(*, row: OutboxRow) -> None:
    reason = f"The record is larger than {MAX_RECORD_BYTES} bytes, which Kafka does not take."
    logger.error("outbox row %d is blocked: %s", row.id, reason)
    OutboxEvent.objects.filter(id=row.id).update(blocked_at=timezone.now(), blocked_reason=reason)


def _read(*, shards: Sequence[int]) -> list[OutboxRow]:
    if not shards:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_READ, [list(shards), _BATCH // len(shards)])
        return [OutboxRow(*row) for row in cursor.fetchall()]


def _count_relays() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE locktype = 'advisory' AND classid = %s AND datname = current_database()",
            [_PRESENCE_LOCKS],
        )
        [count] = cursor.fetchone()
        return int(count)


def _try_lock(*, shard: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_SHARD_LOCKS, shard])
        return bool(cursor.fetchone()[0])


def _execute(query: Any, parameters: Sequence[Any] | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
