"""What a handler may rely on: one effect for each event, and order within an order."""

from collections.abc import Sequence
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from events import Received, publish
from events.orders import OrderAdvanced, OrderCancelled, OrderCompleted
from workers import DependencyDown, Performed, TransientError
from workers.models import DeadLetter, InboxEntry, ParkedEvent
from workers.testing import deliver, deliver_records, published, record_of
from workers.tests.conftest import NewWorker, step

pytestmark = pytest.mark.django_db(transaction=True)


def _retell(event: Received[Any]) -> None:
    publish(
        OrderCompleted(order_id=event.order_id, number="WB-TEST-0001", lines=(), total=0, currency="EUR"),
        aggregate_type="probe",
        aggregate_id=event.order_id,
        version=1,
        cause=event.cause,
    )


def test_a_second_delivery_has_no_effect(new_worker: NewWorker) -> None:
    worker = new_worker()

    @worker.on(OrderAdvanced)
    def retell(events: Sequence[Received[OrderAdvanced]]) -> None:
        for event in events:
            _retell(event)

    record = record_of(step())
    deliver_records(worker, [record, record])
    deliver_records(worker, [record])

    assert len(published(OrderCompleted)) == 1


def test_no_two_events_of_an_order_are_in_one_call_and_they_keep_their_order(new_worker: NewWorker) -> None:
    worker = new_worker()
    calls: list[list[str]] = []

    @worker.on(OrderAdvanced)
    def note(events: Sequence[Received[OrderAdvanced]]) -> None:
        calls.append([event.data.step for event in events])

    one, other = uuid7(), uuid7()
    deliver(
        worker,
        step(order_id=one, name="1a"),
        step(order_id=one, name="1b"),
        step(order_id=other, name="2a"),
        step(order_id=one, name="1c"),
    )

    assert calls == [["1a", "2a"], ["1b"], ["1c"]]


def test_one_bad_event_costs_only_itself(new_worker: NewWorker) -> None:
    worker = new_worker()

    @worker.on(OrderAdvanced)
    def retell(events: Sequence[Received[OrderAdvanced]]) -> None:
        for event in events:
            _retell(event)
        if any(event.data.step == "bad" for event in events):
            raise LookupError("a bug")

    deliver(worker, step(), step(name="bad"), step())

    assert len(published(OrderCompleted)) == 2
    assert ParkedEvent.objects.get().error == "LookupError: a bug"


def test_what_a_failed_handler_wrote_is_rolled_back_and_a_transient_failure_is_tried_again(
    new_worker: NewWorker,
) -> None:
    worker = new_worker()
    tries = 0

    @worker.on(OrderAdvanced)
    def fail_twice(events: Sequence[Received[OrderAdvanced]]) -> None:
        nonlocal tries
        tries += 1
        _retell(events[0])
        if tries < 3:
            raise TransientError("not yet")

    deliver(worker, step())

    assert tries == 3
    assert len(published(OrderCompleted)) == 1
    assert not ParkedEvent.objects.exists()


def test_an_effect_is_recorded_once_although_it_is_performed_again_after_a_crash(
    new_worker: NewWorker,
) -> None:
    worker = new_worker()
    performed: list[str] = []

    class Crash(BaseException):
        pass

    @worker.effect(OrderAdvanced)
    class Call:
        def prepare(self, events: Sequence[Received[OrderAdvanced]]) -> Sequence[str]:
            return [event.data.step for event in events]

        def perform(self, intent: str) -> str:
            performed.append(intent)
            return f"{intent} done"

        def record(self, results: Sequence[Performed[OrderAdvanced, str, str]]) -> None:
            for result in results:
                assert result.event is not None
                _retell(result.event)
            if len(performed) == 1:
                raise Crash

    record = record_of(step(name="call"))
    with pytest.raises(Crash):
        deliver_records(worker, [record])
    deliver_records(worker, [record])
    deliver_records(worker, [record])

    assert performed == ["call", "call"]
    assert len(published(OrderCompleted)) == 1


def test_an_effect_that_fails_does_not_hold_up_the_others(new_worker: NewWorker) -> None:
    worker = new_worker()

    @worker.effect(OrderAdvanced)
    class Call:
        def prepare(self, events: Sequence[Received[OrderAdvanced]]) -> Sequence[str]:
            return [event.data.step for event in events]

        def perform(self, intent: str) -> None:
            if intent == "bad":
                raise LookupError("a bug")

        def record(self, results: Sequence[Performed[OrderAdvanced, str, None]]) -> None:
            for result in results:
                assert result.event is not None
                _retell(result.event)

    deliver(worker, step(), step(name="bad"), step())

    assert len(published(OrderCompleted)) == 2
    assert ParkedEvent.objects.count() == 1


def test_a_dependency_that_is_down_costs_no_event_an_attempt(new_worker: NewWorker) -> None:
    worker = new_worker()
    down = True

    @worker.effect(OrderAdvanced)
    class Call:
        def prepare(self, events: Sequence[Received[OrderAdvanced]]) -> Sequence[str]:
            return [event.data.step for event in events]

        def perform(self, _intent: str) -> None:
            if down:
                raise DependencyDown("the bank")

        def record(self, results: Sequence[Performed[OrderAdvanced, str, None]]) -> None:
            for result in results:
                assert result.event is not None
                _retell(result.event)

    record = record_of(step())
    with pytest.raises(DependencyDown):
        deliver_records(worker, [record])
    assert not InboxEntry.objects.exists()
    assert not ParkedEvent.objects.exists()

    down = False
    deliver_records(worker, [record])
    assert len(published(OrderCompleted)) == 1


def test_a_record_that_cannot_be_read_becomes_a_dead_letter_and_the_rest_flows(new_worker: NewWorker) -> None:
    worker = new_worker(dead_letter="release")

    @worker.on(OrderAdvanced, OrderCancelled)
    def retell(events: Sequence[Received[Any]]) -> None:
        for event in events:
            _retell(event)

    from msgspec.structs import replace

    good = record_of(step())
    not_json = replace(record_of(step()), value=b"{oops")
    no_value = replace(record_of(step()), value=None)
    wrong_key = replace(record_of(step()), key=b"another order")
    newer = record_of(step())
    newer = replace(
        newer,
        headers=[(n, b"orders.order_advanced.v9" if n == "ce_type" else v) for n, v in newer.headers],
    )

    deliver_records(worker, [not_json, no_value, good, wrong_key, newer, record_of(step())])

    assert len(published(OrderCompleted)) == 2
    assert set(DeadLetter.objects.values_list("reason", flat=True)) == {"poison"}
    assert DeadLetter.objects.count() == 4
