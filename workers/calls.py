"""The calls of effects to the outside: many at once, each tried again in place when that may help."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from workers.failures import FailureKind, kind_of
from workers.health import Pulse
from workers.patience import Patience

P = TypeVar("P")
Call = tuple[Callable[[Any], Any], Any]

_THREADS = 16
# A call that takes longer than this is left to run on, while the next batch is taken up …
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
        return list(self._pool.map(self._perform, work))

    def start_all(self, work: Sequence[Call]) -> list[Future[Any]]:
        """Start the calls and return soon: when all have ended, or when only a few slow ones run on.

        A future's result is as in `perform_all`; it never raises.
        """
        calls = [self._pool.submit(self._perform, call) for call in work]
        prompt_until = time.monotonic() + _PROMPT_SECONDS
        unfinished = set(calls)
        while unfinished and not self._may_run_on(unfinished=len(unfinished), prompt_until=prompt_until):
            unfinished = wait(unfinished, timeout=0.05).not_done
        return calls

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

    def _may_run_on(self, *, unfinished: int, prompt_until: float) -> bool:
        left = unfinished + sum(not call.done() for _, call in self._running)
        return time.monotonic() >= prompt_until and left <= _MOST_LEFT_RUNNING

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
