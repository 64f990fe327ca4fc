"""The inbox keeps what Kafka may deliver again, and no more.

The table is cut into days by the time inside the event's id: a UUIDv7 begins with the milliseconds since 1970
(RFC 9562, section 5.7), so days of time are ranges of ids, and one unique index on (consumer, event id) holds over all
of them. A day that is over its time is dropped whole. Ids without a time, and days that nobody has made in time, are
kept in a table of their own, from which rows are deleted by when they came.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from workers.worker import Periodic

logger = logging.getLogger(__name__)

_DAYS_AHEAD = 3
_LOOK_SECONDS = 3600.0
# Dropping a day waits for every transaction on the inbox, and those that come after wait behind it. Rather try again.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"
_DAYS = """
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'workers_inboxentry'::regclass AND relname LIKE 'workers\\_inbox\\_2%'
    ORDER BY relname
"""
# Attaching a table locks less than making it as a partition: the workers go on.
_CREATE_DAY = """
    LOCK TABLE workers_inbox_other IN ACCESS EXCLUSIVE MODE;
    CREATE TABLE {day} (LIKE workers_inboxentry INCLUDING ALL);
    WITH moved AS (DELETE FROM workers_inbox_other WHERE event_id >= {first} AND event_id < {end} RETURNING *)
    INSERT INTO {day} SELECT * FROM moved;
    ALTER TABLE workers_inboxentry ATTACH PARTITION {day} FOR VALUES FROM ({first}) TO ({end});
"""
_DELETE_OTHERS = "DELETE FROM workers_inbox_other WHERE received_at < %s"


def make_days() -> None:
    """In a transaction: make the inbox's tables for today and the next days, where they are missing."""
    made = set(days())
    today = timezone.now().astimezone(UTC).date()
    for day in (today + timedelta(days=ahead) for ahead in range(_DAYS_AHEAD + 1)):
        if day not in made:
            make_day(day=day)


def drop_days() -> None:
    """In a transaction: drop the days that lie more than `INBOX_RETENTION_DAYS` back."""
    oldest = timezone.now() - timedelta(days=settings.INBOX_RETENTION_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_TIMEOUT)
        for day in [day for day in days() if day < oldest.astimezone(UTC).date()]:
            cursor.execute(sql.SQL("DROP TABLE {}").format(_table(day=day)))
            logger.info("the inbox of %s is dropped", day)
        cursor.execute(_DELETE_OTHERS, [oldest])


def days() -> Iterator[date]:
    """Yield the days that the inbox has a table for, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS)
        for (name,) in cursor.fetchall():
            yield date.fromisoformat(name.removeprefix("workers_inbox_"))


def first_id(*, day: date) -> UUID:
    """Return the lowest id that an event of this day (UTC) can have."""
    midnight = datetime.combine(day, time(), UTC)
    return UUID(int=int(midnight.timestamp() * 1000) << 80)


def make_day(*, day: date) -> None:
    """In a transaction: make the table of one day and move into it what came before it was there."""
    statement = sql.SQL(_CREATE_DAY).format(
        day=_table(day=day),
        first=sql.Literal(first_id(day=day)),
        end=sql.Literal(first_id(day=day + timedelta(days=1))),
    )
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_TIMEOUT)
        cursor.execute(statement)


def _table(*, day: date) -> sql.Identifier:
    return sql.Identifier(f"workers_inbox_{day:%Y%m%d}")


KEEPING = [
    Periodic(name="make_inbox_days", seconds=_LOOK_SECONDS, function=make_days),
    Periodic(name="drop_inbox_days", seconds=_LOOK_SECONDS, function=drop_days),
]
