"""What goes wrong with a relay: it dies between send, acknowledge and delete, stands still, loses its session."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from uuid import UUID

import psutil
from django.db import connection, connections, transaction
from uuid_utils.compat import uuid7

from events.models import OutboxEvent
from stack.testing import servers
from tests.faults.conftest import Probe
from tests.invariants import Told, read_records
from tests.waiting import eventually

EVENTS = 30


def _told_in_kafka(probe: Probe) -> list[Told]:
    records = read_records(kafka=os.environ["KAFKA_BOOTSTRAP_SERVERS"])
    return [record for record in records if UUID(record.key) in probe.told]


@contextmanager
def _standing_still(pid: int) -> Iterator[None]:
    psutil.Process(pid).suspend()
    try:
        yield
    finally:
        psutil.Process(pid).resume()


def test_a_relay_killed_between_acknowledge_and_delete_sends_copies_and_keeps_the_order(
    probe: Probe, orders: list[UUID], database: Any
) -> None:
    probe.tell(orders=orders, times=EVENTS)
    events = EVENTS * len(orders)
    database.execute("SELECT FROM events_outboxevent FOR UPDATE")  # so that the relay cannot delete
    victim = probe.start_relay()
    eventually(_somebody_waits_to_delete, what="the relay wants to delete what Kafka has acknowledged")
    acknowledged = len(_told_in_kafka(probe))
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait(seconds=5)
    _end_sessions_that_wait(database)  # the server would carry out a dead client's last statement
    database.rollback()

    probe.start_relay()
    probe.start_worker()

    probe.wait_until_all_is_noted()
    probe.require_invariants()
    assert acknowledged
    assert len(_told_in_kafka(probe)) >= events + acknowledged


def test_a_relay_killed_between_send_and_acknowledge_keeps_the_order(
    probe: Probe, orders: list[UUID], database: Any
) -> None:
    first = probe.start_relay()
    probe.start_worker()
    probe.tell(orders=orders)
    probe.wait_until_all_is_noted()
    with _standing_still(servers().process_id(name="kafka-1")):
        probe.tell(orders=orders, times=EVENTS)
        eventually(lambda: _relay_has_read(database), what="the relay waits for Kafka")
        os.kill(first.pid, signal.SIGKILL)
        first.wait(seconds=5)

    probe.start_relay()
    probe.tell(orders=orders)

    probe.wait_until_all_is_noted()
    probe.require_invariants()


def test_when_a_relay_stands_still_and_loses_its_session_another_takes_over_and_nothing_overtakes(
    probe: Probe, orders: list[UUID], database: Any
) -> None:
    first = probe.start_relay()
    probe.start_worker()
    probe.tell(orders=orders)
    probe.wait_until_all_is_noted()
    probe.tell(orders=orders, times=EVENTS)
    with _standing_still(first.pid):
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        database.commit()
        probe.start_relay()
        probe.tell(orders=orders, times=EVENTS)
        probe.wait_until_all_is_noted()
    probe.tell(orders=orders, times=EVENTS)

    probe.wait_until_all_is_noted()
    probe.require_invariants()


def test_a_transaction_that_stays_open_holds_up_nobody_and_its_events_come_when_it_commits(
    probe: Probe, orders: list[UUID], database: Any
) -> None:
    late = uuid7()
    probe.start_relay()
    probe.start_worker()
    with transaction.atomic():
        probe.tell(orders=[late])
        others = probe.told.copy()
        probe.told = {}
        _tell_in_another_session(probe, orders)
        probe.wait_until_all_is_noted()
        assert OutboxEvent.objects.filter(aggregate_id=str(late)).exists()
        probe.told |= others

    probe.wait_until_all_is_noted()
    probe.require_invariants()


def test_what_is_rolled_back_is_never_heard_of(probe: Probe, orders: list[UUID]) -> None:
    probe.start_relay()
    probe.start_worker()
    with transaction.atomic():
        probe.tell(orders=orders, times=3)
        transaction.set_rollback(True)
    probe.told = {order: [] for order in orders}

    probe.tell(orders=orders, times=2)

    probe.wait_until_all_is_noted()
    probe.require_invariants()
    assert len(_told_in_kafka(probe)) == 2 * len(orders)


def _tell_in_another_session(probe: Probe, orders: list[UUID]) -> None:
    """Tell the next events of these orders while this thread's own transaction is open."""

    def tell() -> None:
        probe.tell(orders=orders, times=3)
        connections.close_all()

    thread = Thread(target=tell)
    thread.start()
    thread.join()


def _somebody_waits_to_delete() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND query LIKE 'DELETE FROM events_outboxevent%'"
        )
        return cursor.fetchone() is not None


def _end_sessions_that_wait(database: Any) -> None:
    database.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )


def _relay_has_read(database: Any) -> bool:
    """Whether a relay's last words to the database were its question for rows, and it has been silent since."""
    found = database.execute(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'"
        " AND query LIKE '%CROSS JOIN LATERAL%' AND state_change < now() - interval '300 ms'"
    ).fetchall()
    database.commit()
    return bool(found)
