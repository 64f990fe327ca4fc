"""What recognising a second delivery costs when the inbox holds a million rows, or ten: in days, and as one table."""

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from uuid_utils.compat import uuid7

from workers import Worker
from workers.inbox import take
from workers.retention import make_day

_DAYS = 7
_BATCH = 500
_BATCHES = 100
_ONE_TABLE = """
    CREATE TABLE workers_inboxentry (
        consumer varchar(60) NOT NULL,
        event_id uuid NOT NULL,
        received_at timestamptz NOT NULL DEFAULT statement_timestamp(),
        PRIMARY KEY (consumer, event_id)
    )
"""
# Ids as UUIDv7 makes them, evenly over the last days, in the order of their time.
_FILL = """
    INSERT INTO workers_inboxentry (consumer, event_id)
    SELECT %s, (lpad(to_hex(%s + (number * %s)::bigint), 12, '0') || '7' || left(md5(number::text), 19))::uuid
    FROM generate_series(0, %s) AS number
"""
_OLDEST_DAY = "DELETE FROM workers_inboxentry WHERE event_id < %s"

_worker = Worker("bench-inbox", dead_letter="release")


def run(*, events: int = 1_000_000) -> dict[str, Any]:
    """Fill both kinds of inbox with so many rows and time batches of 500 new and of 500 known events in each."""
    return {"rows": events, "one_table": _one_table(events=events), "by_days": _by_days(events=events)}


def _one_table(*, events: int) -> dict[str, float]:
    with _scratch(name="bench_inbox_table"):
        _execute(_ONE_TABLE)
        figures = _measure(events=events)
        seconds = _seconds(lambda: _execute(_OLDEST_DAY, [_id_at(moment=_start() + timedelta(days=1))]))
        return {**figures, "forget_a_day_ms": round(seconds * 1000, 1)}


def _by_days(*, events: int) -> dict[str, float]:
    with _scratch(name="bench_inbox_days"):
        _execute(_ONE_TABLE)
        _execute(importlib.import_module("workers.migrations.0002_inbox_by_days").CUT)
        with transaction.atomic():
            for ahead in range(_DAYS + 1):
                make_day(day=(_start() + timedelta(days=ahead)).date())
        figures = _measure(events=events)
        seconds = _seconds(
            lambda: _execute(f"DROP TABLE workers_inbox_{_start() + timedelta(days=1):%Y%m%d}")
        )
        return {**figures, "forget_a_day_ms": round(seconds * 1000, 1)}


def _measure(*, events: int) -> dict[str, float]:
    start_ms = _start().timestamp() * 1000
    _execute(
        _FILL,
        [_worker.name, int(start_ms), timedelta(days=_DAYS) / timedelta(milliseconds=1) / events, events],
    )
    _execute("ANALYZE workers_inboxentry")
    batches = [[uuid7() for _ in range(_BATCH)] for _ in range(_BATCHES)]
    new = [_seconds(partial(_take, ids=ids, expected=_BATCH)) for ids in batches]
    known = [_seconds(partial(_take, ids=ids, expected=0)) for ids in batches]
    return {
        "new_us_per_event": round(median(new) / _BATCH * 1e6, 2),
        "known_us_per_event": round(median(known) / _BATCH * 1e6, 2),
    }


def _take(*, ids: list[UUID], expected: int) -> None:
    with transaction.atomic():
        assert len(take(worker=_worker, event_ids=ids)) == expected


def _start() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=_DAYS)


def _id_at(*, moment: datetime) -> UUID:
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def _scratch(*, name: str) -> Iterator[None]:
    """Work in a schema of its own, before which the shop's tables are hidden, and drop it afterwards."""
    _execute(f"DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}; SET search_path = {name}")
    try:
        yield
    finally:
        _execute(f"DROP SCHEMA {name} CASCADE; RESET search_path")


def _execute(statement: str, parameters: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
