"""An order whose event fails waits in line, in order, until it succeeds, is dead, or staff decide."""

import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from uuid_utils.compat import uuid7

from events import Received
from events.models import OutboxEvent
from events.orders import OrderAdvanced
from tests.waiting import eventually
from workers import Performed, PermanentError, Worker, dead_letters
from workers.batch import Plan, handle
from workers.calls import Caller
from workers.health import Pulse
from workers.inbox import KAFKA
from workers.models import DeadLetter, DeadLetterAction, ParkedEvent, ParkedKey
from workers.parked import retry_due, settle_calls
from workers.record import open_record
from workers.testing import deliver, deliver_records, record_of
from workers.tests.conftest import NewWorker, step

pytestmark = pytest.mark.django_db(transaction=True)


class Script:
    """A handler that fails for the steps in `failing`, and remembers the others."""

    def __init__(self, worker: Worker) -> None:
        self.failing: dict[str, type[Exception]] = {}
        self.handled: list[str] = []
        worker.on(OrderAdvanced)(self.handle)

    def handle(self, events: Sequence[Received[Any]]) -> None:
        for event in events:
            if error := self.failing.get(event.data.step):
                raise error("scripted")
        self.handled += [event.data.step for event in events]

    __name__ = "script"


@pytest.fixture
def holding(new_worker: NewWorker) -> Worker:
    return new_worker(dead_letter="hold")


@pytest.fixture
def by_id() -> int:
    return get_user_model().objects.create_user("operator").id


def retry_now(worker: Worker) -> None:
    """Make every line due, then try it."""
    ParkedKey.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    caller: Caller[Plan]
    with Caller(pulse=Pulse()) as caller:
        while retry_due(worker=worker, caller=caller):
            pass


def use_up_the_ladder(worker: Worker) -> None:
    while not DeadLetter.objects.filter(status="open").exists():
        retry_now(worker)


def test_later_events_of_a_parked_order_wait_behind_it_and_others_flow(holding: Worker) -> None:
    script = Script(holding)
    script.failing["first"] = LookupError
    order = uuid7()

    deliver(holding, step(order_id=order, name="first"), step(name="other order"))
    deliver(holding, step(order_id=order, name="second"))
    assert script.handled == ["other order"]

    script.failing.clear()
    retry_now(holding)
    assert script.handled == ["other order", "first", "second"]
    assert not ParkedKey.objects.exists()


def test_an_event_is_dead_when_every_step_of_the_ladder_failed(holding: Worker, settings: Any) -> None:
    script = Script(holding)
    script.failing["first"] = LookupError
    deliver(holding, step(name="first"))

    use_up_the_ladder(holding)

    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.attempts) == ("exhausted", len(settings.RETRY_DELAYS) + 1)


def test_a_permanent_error_is_dead_at_once_and_holds_its_order(holding: Worker) -> None:
    script = Script(holding)
    script.failing["first"] = PermanentError
    order = uuid7()

    deliver(
        holding, step(order_id=order, name="first"), step(order_id=order, name="second"), step(name="other")
    )
    retry_now(holding)

    assert DeadLetter.objects.get().reason == "permanent"
    assert script.handled == ["other"]


def test_a_releasing_worker_lets_later_events_go_on(new_worker: NewWorker) -> None:
    worker = new_worker(dead_letter="release")
    script = Script(worker)
    script.failing["first"] = PermanentError
    order = uuid7()

    deliver(worker, step(order_id=order, name="first"))
    deliver(worker, step(order_id=order, name="second"))

    assert DeadLetter.objects.get().reason == "permanent"
    assert script.handled == ["second"]


def test_the_dead_letter_topic_gets_the_record_byte_for_byte_with_what_went_wrong(holding: Worker) -> None:
    script = Script(holding)
    script.failing["first"] = PermanentError
    event = step(name="first")

    deliver(holding, event)

    row = OutboxEvent.objects.get(topic="orders.DLT")
    letter = DeadLetter.objects.get()
    assert (row.key, row.payload) == (letter.key, letter.value)
    headers = dict(row.decoded_headers)
    assert headers["ce_id"] == str(letter.event_id).encode()
    assert headers["dlt-consumer"] == b"probe"
    assert headers["dlt-original-topic"] == b"orders"
    assert headers["dlt-class"] == b"permanent"
    assert headers["dlt-exception-message"] == b"scripted"
    assert headers["dlt-replay-count"] == b"0"


@pytest.mark.parametrize(
    ("value_bytes", "header_bytes", "kept"),
    [
        (900_000, 10, {"value", "note"}),
        (1_000_000, 10, {"note"}),
        (10, 999_000, set()),
        (500_000, 600_000, {"note"}),
    ],
)
def test_a_dead_letter_too_large_for_kafka_leaves_out_what_does_not_fit_and_is_whole_here(
    holding: Worker, value_bytes: int, header_bytes: int, kept: set[str]
) -> None:
    made = record_of(step())
    headers = [*made.headers, ("note", b"y" * header_bytes)]
    Script(holding)
    deliver_records(holding, [msgspec.structs.replace(made, value=b"x" * value_bytes, headers=headers)])

    letter, row = DeadLetter.objects.get(), OutboxEvent.objects.get(topic="orders.DLT")
    sent = dict(row.decoded_headers)
    assert len(bytes(letter.value or b"")) == value_bytes
    assert dict(letter.decoded_headers)["note"] == b"y" * header_bytes
    assert (row.payload == letter.value) == ("value" in kept)
    assert ("note" in sent) == ("note" in kept)
    assert sent.get("dlt-value-omitted") == (None if "value" in kept else str(value_bytes).encode())
    assert sent["dlt-original-topic"] == b"orders"
    size = sum(len(name) + len(value or b"") for name, value in row.decoded_headers) + len(row.payload or b"")
    assert size < 1_000_000


def test_a_retried_dead_letter_is_handled_before_what_waits_behind_it(holding: Worker, by_id: int) -> None:
    script = Script(holding)
    script.failing["first"] = PermanentError
    order = uuid7()
    deliver(holding, step(order_id=order, name="first"), step(order_id=order, name="second"))
    script.failing.clear()

    dead_letters.retry(letter_id=DeadLetter.objects.get().id, by_id=by_id)
    retry_now(holding)

    assert script.handled == ["first", "second"]
    assert DeadLetter.objects.get().status == "resolved"
    assert DeadLetterAction.objects.get().action == "retry"


def test_a_dead_letter_that_fails_again_is_open_again_and_counts_its_replays(
    holding: Worker, by_id: int
) -> None:
    script = Script(holding)
    script.failing["first"] = LookupError
    deliver(holding, step(name="first"))
    use_up_the_ladder(holding)

    dead_letters.retry(letter_id=DeadLetter.objects.get().id, by_id=by_id)
    retry_now(holding)

    letter = DeadLetter.objects.get()
    assert (letter.status, letter.replay_count) == ("open", 1)
    last = OutboxEvent.objects.filter(topic="orders.DLT").latest("id")
    names = [name for name, _ in last.decoded_headers]
    assert names.count("dlt-replay-count") == 1


def test_a_second_retry_has_no_effect(holding: Worker, by_id: int) -> None:
    script = Script(holding)
    script.failing["first"] = PermanentError
    deliver(holding, step(name="first"))
    letter_id = DeadLetter.objects.get().id
    script.failing.clear()

    dead_letters.retry(letter_id=letter_id, by_id=by_id)
    with pytest.raises(dead_letters.NotRetryable):
        dead_letters.retry(letter_id=letter_id, by_id=by_id)
    retry_now(holding)

    assert script.handled == ["first"]


def test_discarding_lets_the_order_go_on_without_the_event(holding: Worker, by_id: int) -> None:
    script = Script(holding)
    script.failing["first"] = PermanentError
    order = uuid7()
    deliver(holding, step(order_id=order, name="first"), step(order_id=order, name="second"))

    dead_letters.discard(letter_id=DeadLetter.objects.get().id, by_id=by_id, reason="a duplicate by hand")
    retry_now(holding)

    assert script.handled == ["second"]
    assert DeadLetter.objects.get().status == "discarded"
    assert DeadLetterAction.objects.get().reason == "a duplicate by hand"
    assert not ParkedEvent.objects.exists()


def test_discarding_needs_a_reason(holding: Worker, by_id: int) -> None:
    script = Script(holding)
    script.failing["first"] = PermanentError
    deliver(holding, step(name="first"))

    with pytest.raises(ValueError, match="Say why"):
        dead_letters.discard(letter_id=DeadLetter.objects.get().id, by_id=by_id, reason=" ")


class SlowBank:
    """An effect whose calls for the step `slow` wait until the test lets them go."""

    def __init__(self, worker: Worker) -> None:
        self.answers = threading.Event()
        self.recorded: list[str] = []
        bank = self

        @worker.effect(OrderAdvanced)
        class Call:
            def prepare(self, events: Sequence[Received[OrderAdvanced]]) -> Sequence[str]:
                return [event.data.step for event in events]

            def perform(self, intent: str) -> str:
                if intent == "slow":
                    assert bank.answers.wait(20)
                return intent

            def record(self, results: Sequence[Performed[OrderAdvanced, str, str]]) -> None:
                bank.recorded += [result.outcome for result in results]


def test_a_slow_call_holds_up_only_its_own_order(holding: Worker) -> None:
    bank = SlowBank(holding)
    order = uuid7()
    caller: Caller[Plan]
    with Caller(pulse=Pulse()) as caller:
        _hand(holding, caller, step(order_id=order, name="slow"), step(name="other order"))
        _hand(holding, caller, step(order_id=order, name="behind it"), step(name="another order"))
        assert bank.recorded == ["other order", "another order"]
        assert retry_due(worker=holding, caller=caller) == 0

        bank.answers.set()
        eventually(lambda: _is_settled(holding, caller, bank), what="the slow call is recorded")
        retry_now(holding)

    assert bank.recorded == ["other order", "another order", "slow", "behind it"]
    assert not ParkedKey.objects.exists()


def test_a_call_whose_process_died_is_made_again_when_its_lease_is_over(holding: Worker) -> None:
    bank = SlowBank(holding)
    caller: Caller[Plan]
    with Caller(pulse=Pulse()) as caller:
        _hand(holding, caller, step(name="slow"))
        bank.answers.set()  # the answer comes, but the process is gone before it writes it down

    retry_now(holding)
    assert bank.recorded == []
    ParkedKey.objects.update(leased_until=timezone.now())
    retry_now(holding)
    assert bank.recorded == ["slow"]


def _is_settled(worker: Worker, caller: Caller[Plan], bank: SlowBank) -> bool:
    settle_calls(worker=worker, caller=caller)
    return "slow" in bank.recorded


def _hand(worker: Worker, caller: Caller[Plan], *events: OrderAdvanced) -> None:
    deliveries = [open_record(worker=worker, record=record_of(event)) for event in events]
    handle(worker=worker, deliveries=deliveries, source=KAFKA, caller=caller)
