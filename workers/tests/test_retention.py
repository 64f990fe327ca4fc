"""The inbox recognises a second delivery for as long as promised, and forgets whole days after that."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from events import Received
from events.orders import OrderAdvanced
from tests.waiting import eventually
from workers.inbox import take
from workers.models import InboxEntry
from workers.retention import days, drop_days, first_id, make_days
from workers.tests.conftest import NewWorker, running
from workers.topics import KeptTooLong, create_topics

pytestmark = pytest.mark.django_db(transaction=True)


def _today() -> date:
    return datetime.now(UTC).date()


def _id_of(*, day: date) -> UUID:
    return UUID(int=first_id(day=day).int + uuid4().int % 2**80)


def _table_of(*, event_id: UUID) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM workers_inboxentry WHERE event_id = %s", [event_id]
        )
        [[name]] = cursor.fetchall()
        return str(name)


def _drop_all_days() -> None:
    with connection.cursor() as cursor:
        for day in list(days()):
            cursor.execute(f"DROP TABLE workers_inbox_{day:%Y%m%d}")


@pytest.fixture
def kept_days() -> None:
    with transaction.atomic():
        make_days()


@pytest.mark.usefixtures("kept_days")
def test_an_event_is_taken_once_whichever_day_it_is_of_and_whatever_its_id_looks_like(
    new_worker: NewWorker,
) -> None:
    worker = new_worker()
    ids = {_id_of(day=_today() + timedelta(days=away)) for away in (-30, -1, 0, 1, 2, 30)} | {uuid4()}

    assert take(worker=worker, event_ids=list(ids)) == ids
    assert take(worker=worker, event_ids=list(ids)) == set()


@pytest.mark.usefixtures("kept_days")
def test_a_day_over_its_time_is_dropped_and_the_others_stay(new_worker: NewWorker, settings: Any) -> None:
    worker = new_worker()
    today, tomorrow = _id_of(day=_today()), _id_of(day=_today() + timedelta(days=1))
    take(worker=worker, event_ids=[today, tomorrow])
    kept = list(days())

    settings.INBOX_RETENTION_DAYS = -1  # as if a day had passed, and a retention of no day
    with transaction.atomic():
        drop_days()

    assert list(days()) == [day for day in kept if day > _today()]
    assert set(InboxEntry.objects.values_list("event_id", flat=True)) == {tomorrow}


def test_what_came_before_its_day_was_made_moves_into_it(new_worker: NewWorker) -> None:
    worker = new_worker()
    _drop_all_days()
    early, timeless = _id_of(day=_today()), uuid4()
    take(worker=worker, event_ids=[early, timeless])
    assert _table_of(event_id=early) == "workers_inbox_other"

    with transaction.atomic():
        make_days()

    assert _table_of(event_id=early) == f"workers_inbox_{_today():%Y%m%d}"
    assert _table_of(event_id=timeless) == "workers_inbox_other"
    assert take(worker=worker, event_ids=[early, timeless]) == set()


@pytest.mark.usefixtures("kept_days")
def test_an_id_without_a_time_is_forgotten_by_when_it_came(new_worker: NewWorker, settings: Any) -> None:
    worker = new_worker()
    old, recent = uuid4(), uuid4()
    take(worker=worker, event_ids=[old, recent])
    days_ago = datetime.now(UTC) - timedelta(days=settings.INBOX_RETENTION_DAYS, seconds=1)
    InboxEntry.objects.filter(event_id=old).update(received_at=days_ago)

    with transaction.atomic():
        drop_days()

    assert set(InboxEntry.objects.values_list("event_id", flat=True)) == {recent}


@pytest.mark.usefixtures("kept_days")
def test_a_lookup_reads_only_the_days_of_its_ids() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN SELECT event_id FROM workers_inboxentry WHERE consumer = %s AND event_id = ANY(%s)",
            ["probe", [_id_of(day=_today()), _id_of(day=_today())]],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"workers_inbox_{_today():%Y%m%d}" in plan
    assert "workers_inbox_other" not in plan


def test_any_running_worker_makes_the_days(kafka_servers: object, new_worker: NewWorker) -> None:
    create_topics(partitions=3)
    worker = new_worker()

    @worker.on(OrderAdvanced)
    def note(_events: Sequence[Received[OrderAdvanced]]) -> None:
        """Take it."""

    _drop_all_days()
    with running(worker):
        eventually(lambda: _today() in set(days()))


def test_topics_may_not_remember_longer_than_the_inbox(kafka_servers: object, settings: Any) -> None:
    create_topics(partitions=3)
    settings.INBOX_RETENTION_DAYS = 7
    with pytest.raises(KeptTooLong, match="INBOX_RETENTION_DAYS"):
        create_topics(partitions=3)
