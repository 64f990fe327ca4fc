"""Keeps programs running: what dies is started again, after a pause that grows while it keeps dying."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from stack import StackError
from stack.process import Process, stop_all

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# A program that ran this long was well: its next death counts as the first again.
HEALTHY_AFTER = 60.0
ROUND = 0.2


@dataclass
class _Watched:
    process: Process
    started_at: float
    pause: float = FIRST_PAUSE
    due_at: float | None = None


class Supervisor:
    """Watches processes and starts again what ended without being asked to."""

    def __init__(self, *, report: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._clock = clock
        self._watched: list[_Watched] = []

    def watch(self, *, process: Process) -> None:
        """From now on, start `process` again whenever it ends."""
        self._watched.append(_Watched(process=process, started_at=self._clock()))

    def run(self) -> None:
        """Go round until an exception, such as the request to stop, ends it."""
        while True:
            self.look()
            time.sleep(ROUND)

    def look(self) -> None:
        """Go round once: note who died, start whose pause is over."""
        for watched in self._watched:
            if watched.due_at is not None and self._clock() >= watched.due_at:
                self._start(watched)
            elif watched.due_at is None and not watched.process.is_running:
                self._note_death(watched)

    def stop(self, *, seconds: float) -> None:
        """Stop everything: first the clients, then the servers they work with."""
        servers = [watched.process for watched in self._watched if watched.process.is_server]
        clients = [watched.process for watched in self._watched if not watched.process.is_server]
        stop_all(processes=clients, seconds=seconds / 2)
        stop_all(processes=servers, seconds=seconds / 2)

    def kill(self) -> None:
        """End everything at once."""
        for watched in self._watched:
            watched.process.kill()

    def _note_death(self, watched: _Watched) -> None:
        process = watched.process
        if self._clock() - watched.started_at > HEALTHY_AFTER:
            watched.pause = FIRST_PAUSE
        self._plan(watched, news=f"{process.name} {process.how_it_ended()}")
        # What the dead program started must not work beside its successor.
        process.kill()

    def _plan(self, watched: _Watched, *, news: str) -> None:
        self._report(f"{news}; it is started again in {watched.pause:g} s")
        watched.due_at = self._clock() + watched.pause
        watched.pause = min(watched.pause * 2, LONGEST_PAUSE)

    def _start(self, watched: _Watched) -> None:
        process = watched.process
        try:
            process.start()
        except (StackError, OSError) as error:
            self._plan(watched, news=f"{process.name} could not be started: {error}")
            return
        watched.started_at, watched.due_at = self._clock(), None
        self._report(f"{process.name} is started again")
