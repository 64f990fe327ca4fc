"""The breaker: when one order after another fails, the fault is ours, and the worker pauses.

    closed ── 20 orders in a row fail for the first time ──▶ open: nothing is handled, no event loses a try
      ▲                                                       │ the pause is over
      └── one event succeeds ── trying: one event is handled ◀┘
                                   └── it fails: open, for twice as long

So a bad deploy gives up a handful of events, and not a whole topic. While it is open or trying, an event that fails
keeps its tries; only a record that cannot be read is still given up, one for each pause, because nothing that this
process can wait for would make it readable.

The trying picks a different order each time, so that one bad event at the head of a topic cannot keep it open. The
state is the process's own: a restarted worker begins closed.
"""

import logging
import time
from collections.abc import Callable, Iterable

from workers import metrics
from workers.failures import DependencyDown, FailureKind, kind_of

logger = logging.getLogger(__name__)

# Were every second event bad by itself, that many in a row would come once in a million.
FAILURES_IN_A_ROW = 20
_SHORTEST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0


class BreakerOpen(DependencyDown):
    """One order after another has failed: nothing more is handled, and no try is spent, until the pause is over."""


class Breaker:
    """The state of one worker in one process. `clock` returns seconds that only grow."""

    def __init__(self, *, worker: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._worker = worker
        self._clock = clock
        self._suspects: set[bytes] = set()
        self._pause_seconds = 0.0
        self._try_at = 0.0
        self._reason = ""

    @property
    def is_open(self) -> bool:
        """The pause lasts: nothing is to be handled."""
        return self._tripped and self._clock() < self._try_at

    @property
    def is_trying(self) -> bool:
        """The pause is over: one event is to be handled, and says how things are."""
        return self._tripped and self._clock() >= self._try_at

    @property
    def reason(self) -> str:
        """Why nothing, or only one event, is handled; empty while the breaker is closed."""
        return self._reason

    def choose(self, *, lines: Iterable[bytes]) -> list[bytes]:
        """Return the orders worth trying: those that have not failed yet, or else all."""
        lines = list(lines)
        fresh = [line for line in lines if line not in self._suspects]
        if not fresh:
            self._suspects.clear()
        return fresh or lines

    def admit(self) -> None:
        """Raise `BreakerOpen` while the pause lasts."""
        if self.is_open:
            raise BreakerOpen(self._reason)

    def succeeded(self) -> None:
        """Note that an event was handled: the run of failures is over."""
        if self._tripped:
            logger.warning("%s: an event succeeded, the breaker is closed", self._worker)
            metrics.breaker_open.labels(self._worker).set(0)
        self._suspects.clear()
        self._pause_seconds = 0.0
        self._reason = ""

    def failed(self, *, line: bytes, error: BaseException, is_first_try: bool) -> None:
        """Note that an event of the order `line` is about to be given up; raises `BreakerOpen` if it may not be.

        A parked event that fails again is no news and brings the breaker no nearer to opening.
        """
        if self._tripped:
            self._suspects.add(line)
            self._pause(error=error)
            if kind_of(error) is not FailureKind.POISON:
                raise BreakerOpen(self._reason) from error
        elif is_first_try:
            self._suspects.add(line)
            if len(self._suspects) >= FAILURES_IN_A_ROW:
                self._pause(error=error)

    @property
    def _tripped(self) -> bool:
        return bool(self._reason)

    def _pause(self, *, error: BaseException) -> None:
        longer = self._pause_seconds * 2 or _SHORTEST_PAUSE_SECONDS
        self._pause_seconds = min(_LONGEST_PAUSE_SECONDS, longer)
        self._try_at = self._clock() + self._pause_seconds
        self._reason = f"breaker open: one order after another fails, the last with {error!r}"[:500]
        metrics.breaker_open.labels(self._worker).set(1)
        logger.error("%s: %s; one event is tried in %.0f s", self._worker, self._reason, self._pause_seconds)
