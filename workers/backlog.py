"""What waits in the database: the outbox, parked events, dead letters. Cheap enough to be asked every few seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import connection, transaction

# Counting stops here: whoever has so many waiting does not need to know how many more.
MOST_COUNTED = 100_000
_STATEMENT_TIMEOUT_MS = 2_000

_OUTBOX = """
    SELECT (SELECT count(*) FROM (SELECT FROM events_outboxevent LIMIT %(most)s) AS counted),
           coalesce(extract(epoch FROM now() - (
               SELECT created_at FROM events_outboxevent WHERE blocked_at IS NULL ORDER BY id LIMIT 1
           )), 0)::float8,
           (SELECT count(*) FROM events_outboxevent WHERE blocked_at IS NOT NULL)
"""
_PARKED = """
    SELECT consumer, count(*),
           extract(epoch FROM now() - min(coalesce(first_failed_at, recorded_at)))::float8
    FROM (SELECT consumer, first_failed_at, recorded_at FROM workers_parkedevent LIMIT %(most)s) AS counted
    GROUP BY consumer
"""
_DEAD = """
    SELECT consumer, count(*), extract(epoch FROM now() - min(last_failed_at))::float8,
           count(DISTINCT fingerprint)
    FROM (
        SELECT consumer, last_failed_at, fingerprint FROM workers_deadletter WHERE status = 'open' LIMIT %(most)s
    ) AS counted
    GROUP BY consumer
"""


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """Committed events that Kafka does not have yet; blocked ones are pending, but do not count as old."""

    pending: int
    oldest_age_seconds: float
    blocked: int


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """The events that wait for one worker, and how long the oldest has been failing or waiting."""

    events: int = 0
    oldest_age_seconds: float = 0.0


class Dead(msgspec.Struct, frozen=True, kw_only=True):
    """The open dead letters of one worker; `causes` counts their fingerprints."""

    open: int = 0
    oldest_age_seconds: float = 0.0
    causes: int = 0


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """All that waits, by worker; a worker that is not named has nothing waiting."""

    outbox: Outbox
    parked: dict[str, Parked]
    dead: dict[str, Dead]


def read_backlog() -> Backlog:
    """Return what waits now; no count goes beyond `MOST_COUNTED`. Raises `django.db.DatabaseError`."""
    with _short_queries():
        [(pending, oldest, blocked)] = _rows(_OUTBOX)
        return Backlog(
            outbox=Outbox(pending=pending, oldest_age_seconds=max(oldest, 0.0), blocked=blocked),
            parked={
                worker: Parked(events=events, oldest_age_seconds=max(age, 0.0))
                for worker, events, age in _rows(_PARKED)
            },
            dead={
                worker: Dead(open=count, oldest_age_seconds=max(age, 0.0), causes=causes)
                for worker, count, age, causes in _rows(_DEAD)
            },
        )


@contextmanager
def _short_queries() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {_STATEMENT_TIMEOUT_MS}")
        yield


def _rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"most": MOST_COUNTED})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
