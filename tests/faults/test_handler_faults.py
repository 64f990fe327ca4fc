"""What goes wrong inside a handler: one order fails again and again, a lock does not come, two wait for each other."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from events import Received
from events.orders import OrderAdvanced
from tests.faults.conftest import Probe
from tests.waiting import eventually
from workers import Worker
from workers.models import DeadLetter, ParkedEvent, ParkedKey
from workers.testing import deliver
from workers.tests.conftest import NewWorker, new_worker, step

__all__ = ["new_worker"]

FAILURES = 7  # once in its batch, then six times alone


def test_an_order_that_fails_six_times_keeps_its_order_and_slows_down_no_other(
    probe: Probe, orders: list[UUID]
) -> None:
    bad, *others = orders
    probe.start_relay()
    # The last wait has no end of its own, so that everything else is seen to come before it.
    probe.start_worker(
        PROBE_FAILS_AT=str(bad), PROBE_FAILS_TIMES=str(FAILURES), RETRY_DELAYS="0.5,0.5,0.5,0.5,0.5,3600"
    )
    probe.tell(orders=orders, times=8)

    probe.wait_until_noted(orders=others)
    line = ParkedEvent.objects.filter(consumer=probe.group)
    eventually(
        lambda: line.count() == 7 and line.filter(attempts=6).exists(),
        what="seven events wait for the sixth retry",
    )
    assert [step for order, step in probe.notes() if order == bad] == ["1"]

    ParkedKey.objects.filter(consumer=probe.group).update(due_at=timezone.now())
    probe.wait_until_all_is_noted()
    probe.require_invariants()
    assert not DeadLetter.objects.filter(consumer=probe.group).exists()


def test_a_lock_that_does_not_come_costs_no_event(probe: Probe, orders: list[UUID], database: Any) -> None:
    probe.start_relay()
    probe.start_worker(PGOPTIONS="-c lock_timeout=200ms", RETRY_DELAYS="0.5,0.5,0.5,0.5,0.5,0.5")
    probe.tell(orders=orders)
    probe.wait_until_all_is_noted()
    database.execute("LOCK TABLE probe_note IN SHARE MODE")
    probe.tell(orders=orders, times=3)
    eventually(lambda: ParkedKey.objects.filter(consumer=probe.group).exists(), what="an order is parked")
    database.rollback()

    probe.wait_until_all_is_noted()
    probe.require_invariants()
    assert not DeadLetter.objects.filter(consumer=probe.group).exists()


def test_of_two_that_wait_for_each_other_the_handler_is_tried_again_in_place(
    transactional_db: None,
    new_worker: NewWorker,
    database: Any,
) -> None:
    worker: Worker = new_worker("deadlocked")
    database.execute("SET deadlock_timeout = '1min'")  # so that the handler is the one that is ended
    database.execute("SELECT pg_advisory_xact_lock(2)")
    tries: list[str] = []
    with ThreadPoolExecutor(1) as pool:

        def close_the_circle() -> None:
            database.execute("SELECT pg_advisory_xact_lock(1)")
            database.commit()

        @worker.on(OrderAdvanced)
        def lock_both(events: Sequence[Received[OrderAdvanced]]) -> None:
            tries.append("try")
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(1)")
                if len(tries) == 1:
                    pool.submit(close_the_circle)
                cursor.execute("SELECT pg_advisory_xact_lock(2)")

        deliver(worker, step())

    assert len(tries) == 2
    assert not ParkedEvent.objects.exists()
    assert not transaction.get_connection().in_atomic_block
