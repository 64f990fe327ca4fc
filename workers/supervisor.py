"""Several workers on one machine: Django is loaded once, each worker is forked, what dies comes back."""

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence

from django.db import connections

from workers.stopping import Stop

logger = logging.getLogger(__name__)

_SHORTEST_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 30.0
_STEADY_SECONDS = 30.0
_GRACE_SECONDS = 8.0

Run = Callable[[str, int], None]


class Child:
    """One supervised worker process, with the back-off of its restarts."""

    def __init__(self, *, name: str, place: int) -> None:
        self.name = name
        self.place = place
        self.pid = 0
        self._backoff = 0.0
        self._started_at = 0.0
        self._start_at = 0.0

    @property
    def is_due(self) -> bool:
        return self.pid == 0 and time.monotonic() >= self._start_at

    def started(self, *, pid: int) -> None:
        self.pid = pid
        self._started_at = time.monotonic()

    def ended(self) -> None:
        """Plan the restart: later each time, unless the process had run steadily."""
        steady = time.monotonic() - self._started_at > _STEADY_SECONDS
        self._backoff = (
            _SHORTEST_BACKOFF_SECONDS if steady else min(_LONGEST_BACKOFF_SECONDS, self._backoff * 2 or 0.5)
        )
        self._start_at = time.monotonic() + self._backoff
        self.pid = 0


def supervise(*, names: Sequence[str], run: Run) -> None:
    """Fork a process for each name, restart those that die, and stop them all when asked to stop.

    `run(name, place)` is the body of a child; `place` counts the names from 0.
    """
    connections.close_all()
    stop = Stop().on_signals()
    children = [Child(name=name, place=place) for place, name in enumerate(names)]
    while not stop.asked:
        for child in children:
            if child.is_due:
                _start(child=child, run=run)
        _reap(children=children)
        stop.wait(0.1)
    _stop_all(children=children)


def _start(*, child: Child, run: Run) -> None:
    pid = os.fork()
    if pid == 0:
        _become_child(child=child, run=run)
    child.started(pid=pid)
    logger.info("%s runs as process %d", child.name, pid)


def _become_child(*, child: Child, run: Run) -> None:
    status = 1
    try:
        run(child.name, child.place)
        status = 0
    except BaseException:
        logger.exception("%s ended by an error", child.name)
    finally:
        os._exit(status)


def _reap(*, children: Sequence[Child]) -> None:
    for child in children:
        if child.pid and os.waitpid(child.pid, os.WNOHANG) != (0, 0):
            logger.warning("%s (process %d) died; it is started again", child.name, child.pid)
            child.ended()


def _stop_all(*, children: Sequence[Child]) -> None:
    _signal_all(children=children, signal_number=signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(child.pid for child in children) and time.monotonic() < deadline:
        _forget_ended(children=children)
        time.sleep(0.05)
    _signal_all(children=children, signal_number=signal.SIGKILL)


def _forget_ended(*, children: Sequence[Child]) -> None:
    for child in children:
        if child.pid and os.waitpid(child.pid, os.WNOHANG) != (0, 0):
            child.pid = 0


def _signal_all(*, children: Sequence[Child], signal_number: int) -> None:
    for child in children:
        if child.pid:
            os.kill(child.pid, signal_number)
