"""The calls of effects to the outside: many at once, each tried again in place when that may help."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any, Generic, TypeVar

from workers.failures import FailureKind, kind_of
from workers.health import Pulse
from workers.patience import Patience

P = TypeVar("P")
Call = tuple[Callable[[Any], Any], Any]

_THREADS = 16
# A round begins with one thread, and doubles them as long as calls take long: calls that take microseconds are made
# by one, which has nobody to fight with over the interpreter, and calls that wait for an answer soon by all.
_LOOK_SECONDS = 0.005
_QUICK_CALLS = 4  # by each thread between two looks
# When no call has ended for so long, the rest is left to run on while the next batch is taken up …
_PROMPT_SECONDS = 0.3
# … unless so many run on already that the threads would be gone.
_MOST_LEFT_RUNNING = 8


class Caller(Generic[P]):
    """A bounded pool of threads that make calls; each answer is a sign of life.

    `P` is what a caller wants back with the outcome of a call that was left running.
    """

    def __init__(self, *, pulse: Pulse) -> None:
        self._pulse = pulse
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="effects")
        self._running: list[tuple[P, Future[Any]]] = []

    def __enter__(self) -> "Caller[P]":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the calls under way and end the threads."""
        self._pool.shutdown()

    def perform_all(self, work: Sequence[Call]) -> list[Any]:
        """Return for each call its outcome, or the exception that its last try ended with.

        A call whose intent is None is not made; its outcome is None.
        """
        calls = self._begin(work)
        while not calls.wait():
            calls.reinforce()
        return [call.result() for call in calls.futures]

    def start_all(self, work: Sequence[Call]) -> list[Future[Any]]:
        """Start the calls and return soon: when all have ended, or when only a few slow ones run on.

        A future's result is as in `perform_all`; it never raises.
        """
        calls = self._begin(work)
        while not calls.wait() and not self._may_run_on(calls):
            calls.reinforce()
        return calls.futures

    def leave_running(self, *, plan: P, call: Future[Any]) -> None:
        """Keep a call that has not ended for `take_finished`."""
        self._running.append((plan, call))

    def take_finished(self) -> list[tuple[P, Any]]:
        """Return the calls that were left running and have ended, with their outcomes."""
        finished = [(plan, call.result()) for plan, call in self._running if call.done()]
        self._running = [(plan, call) for plan, call in self._running if not call.done()]
        return finished

    @property
    def running(self) -> list[P]:
        """What the calls that were left running are about."""
        return [plan for plan, _ in self._running]

    def _begin(self, work: Sequence[Call]) -> "_Round":
        return _Round(pool=self._pool, perform=self._perform, work=work)

    def _may_run_on(self, calls: "_Round") -> bool:
        left = calls.unfinished + sum(not call.done() for _, call in self._running)
        return calls.has_stalled and left <= _MOST_LEFT_RUNNING

    def _perform(self, call: Call) -> Any:
        perform, intent = call
        if intent is None:
            return None
        patience = Patience()
        while True:
            try:
                return perform(intent)
            except Exception as error:  # noqa: BLE001  (every failure is an outcome here; the caller tells them apart)
                if kind_of(error) is not FailureKind.TRANSIENT or not patience.wait():
                    return error
            finally:
                self._pulse.beat()


class _Round:
    """Calls that were started together; `futures` are in the order of the work."""

    def __init__(
        self, *, pool: ThreadPoolExecutor, perform: Callable[[Call], Any], work: Sequence[Call]
    ) -> None:
        self.futures: list[Future[Any]] = [Future() for _ in work]
        self._pool = pool
        self._perform = perform
        self._waiting = deque(zip(self.futures, work, strict=True))
        self._all_done = Event()
        self._waited = len(work)
        self._threads = 0
        self._progress_at = time.monotonic()
        self.reinforce()

    @property
    def unfinished(self) -> int:
        return sum(not future.done() for future in self.futures)

    @property
    def has_stalled(self) -> bool:
        """No call waits for its turn, and none of those under way has ended for a while."""
        return not self._waiting and time.monotonic() - self._progress_at >= _PROMPT_SECONDS

    def wait(self) -> bool:
        """Wait a moment and say whether every call has ended."""
        moment = _LOOK_SECONDS if self._waiting else _LOOK_SECONDS * 10
        return not self.futures or self._all_done.wait(moment)

    def reinforce(self) -> None:
        """Put twice the threads to work, if calls are waiting and those at work have hardly got any further."""
        waiting = len(self._waiting)
        taken, self._waited = self._waited - waiting, waiting
        if taken >= _QUICK_CALLS * self._threads > 0:
            return
        wanted = min(waiting, max(1, self._threads), _THREADS - self._threads)
        for _ in range(wanted):
            self._pool.submit(self._work_off)
        self._threads += wanted

    def _work_off(self) -> None:
        while self._waiting:
            try:
                future, call = self._waiting.popleft()
            except IndexError:
                return
            future.set_result(self._perform(call))
            self._progress_at = time.monotonic()
            if all(one.done() for one in reversed(self.futures)):
                self._all_done.set()
