"""Many dead letters at once: seen beforehand, put in line at a rate, stopped when too many fail again."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from events import Received
from events.models import OutboxEvent
from events.orders import OrderAdvanced
from tests.waiting import eventually
from workers import PermanentError, Worker, dead_letters, replay_runs
from workers.batch import Plan
from workers.calls import Caller
from workers.health import Pulse
from workers.models import DeadLetter, DeadLetterAction, ParkedEvent, ParkedKey, ReplayRun
from workers.parked import retry_due
from workers.replay_runs import Selection
from workers.testing import deliver, deliver_records, record_of
from workers.tests.conftest import NewWorker, running, step

pytestmark = pytest.mark.django_db(transaction=True)


class Desk:
    """A worker that fails for good at the steps in `refused`, and remembers the others."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.refused: set[str] = set()
        self.handled: list[str] = []
        worker.on(OrderAdvanced)(self.handle)

    __name__ = "desk"

    def handle(self, events: Sequence[Received[Any]]) -> None:
        for event in events:
            if event.data.step in self.refused:
                raise PermanentError("refused")
        self.handled += [event.data.step for event in events]

    def bury(self, *steps: str) -> list[DeadLetter]:
        """Let these steps, each of an order of its own, become dead letters."""
        self.refused.update(steps)
        deliver(self.worker, *(step(name=name) for name in steps))
        self.refused.difference_update(steps)
        return list(DeadLetter.objects.filter(status="open").order_by("id"))

    def handled_of(self, *steps: str) -> list[str]:
        """Return which of these steps were handled, in the order of their handling."""
        return [name for name in self.handled if name in steps]

    def work(self) -> None:
        """Try every line that is due by now."""
        caller: Caller[Plan]
        with Caller(pulse=Pulse()) as caller:
            while retry_due(worker=self.worker, caller=caller):
                pass


@pytest.fixture(params=["hold", "release"])
def desk(new_worker: NewWorker, request: pytest.FixtureRequest) -> Desk:
    return Desk(new_worker(dead_letter=request.param))


@pytest.fixture
def by_id() -> int:
    return get_user_model().objects.create_user("operator").id


@pytest.fixture
def start(by_id: int) -> Callable[..., ReplayRun]:
    def start(**options: Any) -> ReplayRun:
        run_id = replay_runs.start(
            selection=options.pop("selection", Selection(consumer="probe")), by_id=by_id, **options
        )
        return ReplayRun.objects.get(id=run_id)

    return start


@transaction.atomic
def advance() -> None:
    replay_runs.advance()


def turn(desk: Desk, run: ReplayRun) -> ReplayRun:
    """Carry the runs a step further, as the worker does, and let it try what is due."""
    advance()
    desk.work()
    advance()
    run.refresh_from_db()
    return run


def test_all_of_a_fingerprint_are_retried_and_nothing_else(desk: Desk, start: Any) -> None:
    first, *_ = desk.bury("a", "b")
    deliver_records(desk.worker, [msgspec.structs.replace(record_of(step()), value=b"{")])
    poisoned = DeadLetter.objects.get(reason="poison")

    run = turn(desk, start(selection=Selection(fingerprint=first.fingerprint), reason="fixed"))

    assert desk.handled == ["a", "b"]
    assert (run.state, run.total, run.resolved) == ("finished", 2, 2)
    poisoned.refresh_from_db()
    assert poisoned.status == "open"
    assert DeadLetterAction.objects.filter(action="retry", reason="fixed", run=run).count() == 2


def test_a_selection_is_retried(desk: Desk, start: Any) -> None:
    first, _second, third = desk.bury("a", "b", "c")

    turn(desk, start(selection=Selection(ids=(first.id, third.id))))

    assert desk.handled == ["a", "c"]


def test_two_runs_over_the_same_letters_have_one_effect(desk: Desk, start: Any) -> None:
    desk.bury("a", "b")
    one, other = start(), start()

    turn(desk, one)

    other.refresh_from_db()
    assert sorted(desk.handled) == ["a", "b"]
    assert (other.state, other.skipped, other.released) == ("finished", 2, 0)


def test_a_letter_discarded_before_its_turn_is_left_alone(desk: Desk, start: Any, by_id: int) -> None:
    first, _ = desk.bury("a", "b")
    run = start()
    dead_letters.discard(letter_id=first.id, by_id=by_id, reason="a test order")

    run = turn(desk, run)

    assert desk.handled == ["b"]
    assert (run.state, run.skipped, run.resolved) == ("finished", 1, 1)


def test_a_run_stops_when_as_many_have_failed_again_as_it_may(desk: Desk, start: Any) -> None:
    desk.bury("a", "b", "c", "d", "e")
    desk.refused = {"b", "c", "d", "e"}
    run = start(stop_after=2)

    for _ in range(6):
        run = turn(desk, run)

    assert desk.handled == ["a"]
    assert (run.state, run.failed, run.resolved, run.waiting) == ("stopped", 2, 1, 2)
    assert DeadLetter.objects.filter(status="open", replay_count=0).count() == 2
    assert run.ended_at


def test_failures_that_may_be_are_no_reason_to_stop(desk: Desk, start: Any) -> None:
    desk.bury("a", "b", "c")
    desk.refused = {"b"}

    run = turn(desk, start())

    assert desk.handled == ["a", "c"]
    assert (run.state, run.failed, run.resolved) == ("finished", 1, 2)


def test_a_rate_sets_the_times_at_which_letters_are_due(desk: Desk, start: Any) -> None:
    desk.bury(*(f"step {number}" for number in range(8)))

    start(rate=4)
    advance()

    due = sorted(line.due_at for line in ParkedKey.objects.all() if line.due_at)
    assert len(due) == 5
    assert {later - sooner for sooner, later in pairwise(due)} == {timedelta(seconds=0.25)}
    advance()
    assert DeadLetter.objects.filter(status="retrying").count() <= 6


def test_a_slow_rate_lets_one_go_at_a_time(desk: Desk, start: Any) -> None:
    desk.bury("a", "b")

    run = turn(desk, start(rate=0.1))
    run = turn(desk, run)

    assert desk.handled == ["a"]
    assert (run.state, run.released) == ("running", 1)


def test_a_stopped_run_puts_no_more_in_line_and_ends_with_what_is(desk: Desk, start: Any, by_id: int) -> None:
    desk.bury("a", "b")
    run = start(rate=0.1)
    advance()

    assert replay_runs.stop(run_id=run.id, by_id=by_id, reason="a mistake")
    assert not replay_runs.stop(run_id=run.id, by_id=by_id)
    run = turn(desk, run)

    assert desk.handled == ["a"]
    assert (run.state, run.resolved, run.waiting) == ("stopped", 1, 1)
    assert (run.stopped_by_id, run.stop_reason) == (by_id, "a mistake")
    assert run.ended_at
    assert DeadLetter.objects.filter(status="open").count() == 1


@pytest.mark.usefixtures("kafka_servers")
def test_a_worker_advances_the_runs_by_itself(new_worker: NewWorker, start: Any) -> None:
    desk = Desk(new_worker("probe"))
    desk.bury("a", "b", "c")
    run = start(rate=50)

    with running(desk.worker):
        eventually(lambda: ReplayRun.objects.get(id=run.id).ended_at, what="the run is over")

    # The loop also reads what other tests have left in the topic.
    assert sorted(desk.handled_of("a", "b", "c")) == ["a", "b", "c"]
    assert not ParkedKey.objects.exists()


def test_a_run_needs_something_to_retry(desk: Desk, start: Any) -> None:
    with pytest.raises(replay_runs.NothingToRetry):
        start()
    assert not ReplayRun.objects.exists()


def test_a_run_of_everything_has_to_be_narrowed(desk: Desk, start: Any) -> None:
    desk.bury("a")
    with pytest.raises(ValueError, match="Say which"):
        start(selection=Selection())


@pytest.mark.parametrize("options", [{"rate": 0}, {"rate": float("nan")}, {"stop_after": 0}])
def test_rates_and_limits_are_positive(desk: Desk, start: Any, options: dict[str, Any]) -> None:
    desk.bury("a")
    with pytest.raises(ValueError, match=r"more than none|one failure or more"):
        start(**options)


def test_a_preview_says_how_many_and_which_orders_and_changes_nothing(desk: Desk) -> None:
    letters = desk.bury("a", "b")

    seen = replay_runs.preview(selection=Selection(fingerprint=letters[0].fingerprint))

    assert (seen.count, seen.key_count, seen.unreadable) == (2, 2, ())
    assert set(seen.keys) == {bytes(letter.key or b"").decode() for letter in letters}
    assert [(cause.exception_type, cause.count) for cause in seen.causes] == [("PermanentError", 2)]
    assert DeadLetter.objects.filter(status="open").count() == 2
    assert not DeadLetterAction.objects.exists()
    assert not ParkedKey.objects.filter(due_at__isnull=False).exists()


def test_a_preview_names_those_that_today_s_declarations_refuse(desk: Desk) -> None:
    deliver_records(desk.worker, [msgspec.structs.replace(record_of(step()), value=b'{"step": 1}')])

    seen = replay_runs.preview(selection=Selection(consumer="probe"))

    [unreadable] = seen.unreadable
    assert unreadable.letter_id == DeadLetter.objects.get().id
    assert "Expected `str`" in unreadable.why or "missing required" in unreadable.why


# One letter: edited, discarded, restored.


@pytest.fixture
def poisoned(desk: Desk) -> DeadLetter:
    """A dead letter with a payload that cannot be read, and one more event of its order."""
    order = uuid7()
    broken = record_of(step(order_id=order, name="mended"))
    deliver_records(desk.worker, [msgspec.structs.replace(broken, value=b'{"step": 1}')])
    deliver(desk.worker, step(order_id=order, name="behind it"))
    return DeadLetter.objects.get()


def mended(letter: DeadLetter, **changes: Any) -> bytes:
    """Return the payload as it should have been."""
    event = step(name="mended")
    event = msgspec.structs.replace(event, order_id=bytes(letter.key or b"").decode(), **changes)
    return msgspec.json.encode(event)


def test_an_edited_event_takes_the_original_s_place_with_an_id_of_its_own(
    desk: Desk, poisoned: DeadLetter, by_id: int
) -> None:
    edited_id = dead_letters.edit(
        letter_id=poisoned.id, value=mended(poisoned), by_id=by_id, reason="a typo of the importer"
    )
    desk.work()

    expected = ["mended", "behind it"] if poisoned.holds_key else ["behind it", "mended"]
    assert desk.handled == expected
    original, edited = DeadLetter.objects.get(id=poisoned.id), DeadLetter.objects.get(id=edited_id)
    assert (original.status, bytes(original.value or b"")) == ("edited", b'{"step": 1}')
    assert (edited.status, edited.edit_of_id) == ("resolved", original.id)
    headers = edited.decoded_headers
    assert ("ce_id", str(edited.event_id).encode()) in headers
    assert ("edit-of", str(original.event_id).encode()) in headers
    assert edited.event_id != original.event_id
    [audit] = original.actions.all()
    assert (audit.action, audit.by_id, audit.reason) == ("edit", by_id, "a typo of the importer")
    assert not ParkedEvent.objects.exists()


def test_an_edit_that_fails_is_a_dead_letter_that_names_its_original(
    desk: Desk, poisoned: DeadLetter, by_id: int
) -> None:
    desk.refused = {"mended"}
    edited_id = dead_letters.edit(letter_id=poisoned.id, value=mended(poisoned), by_id=by_id, reason="x")
    desk.work()

    assert DeadLetter.objects.get(status="open").id == edited_id
    last = OutboxEvent.objects.filter(topic="orders.DLT").latest("id")
    assert ("edit-of", str(poisoned.event_id).encode()) in last.decoded_headers


@pytest.mark.parametrize("value", [b"", b"{", b'{"step": 1}', b"\xff\x00"])
def test_a_payload_that_breaks_the_declaration_is_refused(
    desk: Desk, poisoned: DeadLetter, by_id: int, value: bytes
) -> None:
    with pytest.raises(dead_letters.BadEdit, match="Nothing was done"):
        dead_letters.edit(letter_id=poisoned.id, value=value, by_id=by_id, reason="x")

    assert DeadLetter.objects.get().status == "open"
    assert not DeadLetterAction.objects.exists()


def test_an_edit_cannot_move_the_event_to_another_order(desk: Desk, poisoned: DeadLetter, by_id: int) -> None:
    with pytest.raises(dead_letters.BadEdit, match="key"):
        dead_letters.edit(letter_id=poisoned.id, value=msgspec.json.encode(step()), by_id=by_id, reason="x")


def test_a_letter_is_edited_once(desk: Desk, poisoned: DeadLetter, by_id: int) -> None:
    dead_letters.edit(letter_id=poisoned.id, value=mended(poisoned), by_id=by_id, reason="x")

    with pytest.raises(dead_letters.NotRetryable, match="replaced by an edit, not open"):
        dead_letters.edit(letter_id=poisoned.id, value=mended(poisoned), by_id=by_id, reason="x")
    with pytest.raises(dead_letters.NotRetryable):
        dead_letters.retry(letter_id=poisoned.id, by_id=by_id)


def test_a_discarded_letter_is_restored_and_retried(desk: Desk, by_id: int) -> None:
    [letter] = desk.bury("a")
    dead_letters.discard(letter_id=letter.id, by_id=by_id, reason="not needed")

    dead_letters.restore(letter_id=letter.id, by_id=by_id, reason="needed after all")
    dead_letters.retry(letter_id=letter.id, by_id=by_id)
    desk.work()

    letter.refresh_from_db()
    assert desk.handled == ["a"]
    assert letter.status == "resolved"
    assert [action.action for action in letter.actions.order_by("id")] == ["discard", "restore", "retry"]


def test_a_restored_letter_holds_nothing_back(new_worker: NewWorker, by_id: int) -> None:
    desk = Desk(new_worker())
    order = uuid7()
    desk.refused = {"a"}
    deliver(desk.worker, step(order_id=order, name="a"))
    letter = DeadLetter.objects.get()
    dead_letters.discard(letter_id=letter.id, by_id=by_id, reason="x")
    dead_letters.restore(letter_id=letter.id, by_id=by_id)

    deliver(desk.worker, step(order_id=order, name="later"))

    letter.refresh_from_db()
    assert desk.handled == ["later"]
    assert not letter.holds_key


def test_only_what_was_discarded_is_restored(desk: Desk, by_id: int) -> None:
    [letter] = desk.bury("a")

    with pytest.raises(dead_letters.NotRetryable, match="open, not discarded"):
        dead_letters.restore(letter_id=letter.id, by_id=by_id)


def test_a_retry_leaves_a_line_that_is_being_tried_to_who_tries_it(new_worker: NewWorker, by_id: int) -> None:
    desk = Desk(new_worker(dead_letter="release"))
    order = uuid7()
    desk.refused = {"a"}
    deliver(desk.worker, step(order_id=order, name="a"))
    leased_until = timezone.now() + timedelta(seconds=30)
    ParkedKey.objects.create(
        consumer="probe", key=str(order).encode(), due_at=timezone.now(), leased_until=leased_until
    )

    dead_letters.retry(letter_id=DeadLetter.objects.get().id, by_id=by_id)

    assert ParkedKey.objects.get().leased_until == leased_until
