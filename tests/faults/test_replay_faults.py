"""A dead letter is sent back while it is being handled, more than once, and after it was handled: one effect."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from events import Received
from events.orders import OrderAdvanced
from tests.waiting import eventually
from workers import PermanentError, Worker, dead_letters, replay_runs
from workers.batch import Plan
from workers.calls import Caller
from workers.dead_letters import NotRetryable
from workers.health import Pulse
from workers.models import DeadLetter, ParkedEvent
from workers.parked import retry_due
from workers.record import Record
from workers.replay_runs import NothingToRetry, Selection
from workers.testing import deliver_records, record_of
from workers.tests.conftest import NewWorker, new_worker, step

__all__ = ["new_worker"]

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


class Clerk:
    """A worker that fails for good until it is mended, and then takes as long over an event as the test wants."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.mended = False
        self.begun, self.may_end = Event(), Event()
        self.handled: list[str] = []
        worker.on(OrderAdvanced)(self.handle)

    __name__ = "clerk"

    def handle(self, events: Sequence[Received[Any]]) -> None:
        if not self.mended:
            raise PermanentError("a fault of the release before")
        self.begun.set()
        assert self.may_end.wait(30)
        self.handled += [event.data.step for event in events]

    def work(self) -> None:
        """Try every line that is due by now."""
        caller: Caller[Plan]
        with Caller(pulse=Pulse()) as caller:
            while retry_due(worker=self.worker, caller=caller):
                pass


@pytest.fixture(params=["hold", "release"])
def clerk(new_worker: NewWorker, request: pytest.FixtureRequest) -> Clerk:
    return Clerk(new_worker("clerk", dead_letter=request.param))


@pytest.fixture
def record() -> Record:
    return record_of(step(name="the step"))


@pytest.fixture
def letter(clerk: Clerk, record: Record) -> DeadLetter:
    deliver_records(clerk.worker, [record])
    clerk.mended = True
    return DeadLetter.objects.get()


@pytest.fixture
def retry(letter: DeadLetter) -> Callable[[], None]:
    by_id = get_user_model().objects.create_user("operator").id
    return lambda: dead_letters.retry(letter_id=letter.id, by_id=by_id)


@pytest.fixture
def aside() -> Iterator[Callable[[Callable[[], None]], Any]]:
    """Run something in a thread with a database session of its own, and return its future."""

    def with_own_session(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        yield lambda work: pool.submit(with_own_session, work)


def test_a_replay_while_the_event_is_being_handled_has_one_effect(
    clerk: Clerk, letter: DeadLetter, retry: Callable[[], None], aside: Any
) -> None:
    retry()
    handling = aside(clerk.work)
    assert clerk.begun.wait(30)

    again, rival = aside(retry), aside(clerk.work)
    eventually(lambda: waiting() >= 1, what="the second retry waits for the first to end")
    clerk.may_end.set()

    handling.result(30)
    rival.result(30)
    with pytest.raises(NotRetryable, match="resolved, not open"):
        again.result(30)
    require_one_effect(clerk)


def test_a_replay_twice_has_one_effect(
    clerk: Clerk, letter: DeadLetter, record: Record, retry: Callable[[], None]
) -> None:
    clerk.may_end.set()
    retry()
    with pytest.raises(NotRetryable, match="being retried, not open"):
        retry()
    clerk.work()
    with pytest.raises(NotRetryable, match="resolved, not open"):
        retry()
    with pytest.raises(NothingToRetry):
        replay_runs.start(selection=Selection(ids=(letter.id,)), by_id=get_user_model().objects.get().id)

    clerk.work()
    deliver_records(clerk.worker, [record])
    require_one_effect(clerk)


def test_a_record_that_comes_again_while_its_dead_letter_is_retried_has_one_effect(
    clerk: Clerk, letter: DeadLetter, record: Record, retry: Callable[[], None]
) -> None:
    clerk.may_end.set()
    retry()
    deliver_records(clerk.worker, [record])
    clerk.work()
    require_one_effect(clerk)


def waiting() -> int:
    """Return how many sessions wait for a lock of another."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        [count] = cursor.fetchone()
        return int(count)


def require_one_effect(clerk: Clerk) -> None:
    """Fail unless the event was handled once, its dead letter is settled and nothing waits."""
    assert clerk.handled == ["the step"]
    assert DeadLetter.objects.get().status == "resolved"
    assert not ParkedEvent.objects.exists()
