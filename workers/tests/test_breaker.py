"""When everything fails, a handful of events is given up, and not the topic."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from events import Received
from events.orders import OrderAdvanced
from tests.waiting import eventually
from workers import PermanentError
from workers.breaker import FAILURES_IN_A_ROW, Breaker, BreakerOpen
from workers.failures import Poison
from workers.kafka_clients import idempotent_producer
from workers.models import DeadLetter, InboxEntry, ParkedEvent
from workers.testing import deliver_records, record_of
from workers.tests.conftest import NewWorker, running, step
from workers.topics import create_topics
from workers.worker import Worker

BUG = LookupError("a bug")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def _shown(worker: Worker) -> float | None:
    return REGISTRY.get_sample_value("worker_breaker_open", {"worker": worker.name})


def _send(*, count: int) -> list[UUID]:
    """Write so many events to Kafka and return their ids."""
    producer = idempotent_producer()
    records = [record_of(step()) for _ in range(count)]
    for record in records:
        producer.send(record.topic, key=record.key, value=record.value, headers=record.headers)
    producer.flush(timeout=30)
    producer.close()
    return [UUID(record.header("ce_id")) for record in records]


def _handled(*, worker: Worker, ids: Sequence[UUID]) -> Callable[[], bool]:
    """Return a question: has the worker handled all of these?"""
    entries = InboxEntry.objects.filter(consumer=worker.name, event_id__in=ids)
    return lambda: entries.all().count() == len(ids)


def _fail(breaker: Breaker, *, times: int, error: BaseException = BUG, is_first_try: bool = True) -> None:
    for _ in range(times):
        breaker.failed(line=uuid7().bytes, error=error, is_first_try=is_first_try)


def _opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(worker="probe", clock=clock)
    _fail(breaker, times=FAILURES_IN_A_ROW)
    return breaker, clock


def test_it_opens_when_so_many_orders_fail_in_a_row() -> None:
    breaker = Breaker(worker="probe")
    _fail(breaker, times=FAILURES_IN_A_ROW - 1)
    assert not breaker.is_open
    _fail(breaker, times=1)
    assert breaker.is_open
    with pytest.raises(BreakerOpen, match="a bug"):
        breaker.admit()


def test_a_success_in_between_an_order_that_fails_often_and_retries_do_not_open_it() -> None:
    breaker = Breaker(worker="probe")
    _fail(breaker, times=FAILURES_IN_A_ROW - 1)
    breaker.succeeded()
    _fail(breaker, times=FAILURES_IN_A_ROW - 1)
    _fail(breaker, times=FAILURES_IN_A_ROW, is_first_try=False)
    breaker.succeeded()
    for _ in range(FAILURES_IN_A_ROW):
        breaker.failed(line=b"one order", error=BUG, is_first_try=True)
    assert not breaker.is_open


def test_after_the_pause_one_event_is_tried_and_a_success_closes_it() -> None:
    breaker, clock = _opened()
    clock.seconds = 1.0
    assert not breaker.is_open
    assert breaker.is_trying
    breaker.succeeded()
    assert not breaker.is_trying
    assert breaker.reason == ""


def test_a_failed_trial_costs_the_event_nothing_and_doubles_the_pause_up_to_a_minute() -> None:
    breaker, clock = _opened()
    pauses = []
    for _ in range(8):
        before = clock.seconds
        while breaker.is_open:
            clock.seconds += 1.0
        pauses.append(clock.seconds - before)
        with pytest.raises(BreakerOpen):
            _fail(breaker, times=1)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_what_cannot_be_read_is_given_up_one_for_each_pause_so_that_it_keeps_nobody_waiting_for_ever() -> (
    None
):
    breaker, clock = _opened()
    clock.seconds = 1.0
    _fail(breaker, times=1, error=Poison("no JSON"))
    assert breaker.is_open


def test_each_trial_takes_another_order_until_all_at_hand_have_failed() -> None:
    breaker, clock = _opened()
    clock.seconds = 1.0
    assert breaker.choose(lines=[b"one", b"other"]) == [b"one", b"other"]
    with pytest.raises(BreakerOpen):
        breaker.failed(line=b"one", error=BUG, is_first_try=True)
    assert breaker.choose(lines=[b"one", b"other"]) == [b"other"]
    with pytest.raises(BreakerOpen):
        breaker.failed(line=b"other", error=BUG, is_first_try=True)
    assert breaker.choose(lines=[b"one", b"other"]) == [b"one", b"other"]


@pytest.fixture
def deploy() -> dict[str, Any]:
    """What is wrong with the code that runs."""
    return {"error": BUG}


@pytest.fixture
def worker(new_worker: NewWorker, deploy: dict[str, Any]) -> Worker:
    worker = new_worker()

    @worker.on(OrderAdvanced)
    def handle(_events: Sequence[Received[OrderAdvanced]]) -> None:
        if deploy["error"]:
            raise deploy["error"]

    return worker


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [BUG, PermanentError("never")])
def test_a_bad_deploy_gives_up_a_handful_of_events_and_after_its_repair_the_rest_is_handled(
    worker: Worker, deploy: dict[str, Any], error: BaseException
) -> None:
    clock = Clock()
    worker.breaker = Breaker(worker=worker.name, clock=clock)
    records = [record_of(step()) for _ in range(100)]
    deploy["error"] = error
    for _ in range(10):
        with pytest.raises(BreakerOpen):
            deliver_records(worker, records)
        clock.seconds += 60
    given_up = ParkedEvent.objects.count()
    assert given_up == FAILURES_IN_A_ROW
    assert DeadLetter.objects.count() == (0 if error is BUG else FAILURES_IN_A_ROW)

    deploy["error"] = None
    clock.seconds += 60
    deliver_records(worker, records)

    assert InboxEntry.objects.filter(consumer=worker.name).count() == len(records)
    assert ParkedEvent.objects.count() == given_up


@pytest.mark.django_db(transaction=True)
def test_bad_events_at_the_head_cannot_keep_it_open_while_a_good_one_follows(
    worker: Worker, deploy: dict[str, Any]
) -> None:
    clock = Clock()
    worker.breaker = Breaker(worker=worker.name, clock=clock)
    poison = [replace(record_of(step()), value=b"{oops") for _ in range(FAILURES_IN_A_ROW + 2)]
    records = [*poison, record_of(step())]
    deploy["error"] = None

    for _ in range(3):
        with pytest.raises(BreakerOpen):
            deliver_records(worker, poison)
        clock.seconds += 60
    deliver_records(worker, records)

    assert DeadLetter.objects.count() == len(poison)
    assert InboxEntry.objects.count() == len(records)


@pytest.mark.django_db(transaction=True)
def test_a_worker_pauses_amid_a_topic_and_goes_on_by_itself_once_its_handler_works(
    kafka_servers: object, worker: Worker, deploy: dict[str, Any]
) -> None:
    create_topics(partitions=3)
    worker.dead_letter = "release"
    deploy["error"] = None
    with running(worker) as pulse:
        # Behind these, on every partition, lies whatever other tests have left in the topic.
        eventually(_handled(worker=worker, ids=_send(count=60)))
        deploy["error"] = PermanentError("a bad deploy")
        ids = _send(count=300)
        eventually(lambda: "breaker open" in pulse.waiting_for)
        eventually(lambda: worker.breaker.is_trying)
        eventually(lambda: worker.breaker.is_open)
        assert DeadLetter.objects.count() == FAILURES_IN_A_ROW
        assert _shown(worker) == 1

        deploy["error"] = None
        eventually(_handled(worker=worker, ids=ids))

        eventually(lambda: not pulse.waiting_for)
        assert _shown(worker) == 0
        assert DeadLetter.objects.count() == FAILURES_IN_A_ROW
