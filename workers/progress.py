"""Whether every partition of a worker moves while there is something to read in it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

PATIENCE_SECONDS = 60.0


class PartitionStuck(RuntimeError):
    """A partition has records and none was read for a minute: only a new process is sure to help."""


class Progress:
    """When each partition last moved, or had nothing to read. `clock` returns seconds that only grow."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Any, tuple[int | None, float]] = {}

    def note(self, *, positions: Mapping[Any, int | None], ends: Mapping[Any, int]) -> None:
        """Compare with the note before; raises `PartitionStuck`.

        `positions` are those of the partitions read now (None: the client does not know where it is), `ends` where
        each ends.
        """
        self._seen = {
            partition: self._look(partition=partition, position=position, end=ends[partition])
            for partition, position in positions.items()
        }

    def forget(self) -> None:
        """Begin anew, because the worker stands still on purpose."""
        self._seen.clear()

    def _look(self, *, partition: Any, position: int | None, end: int) -> tuple[int | None, float]:
        now = self._clock()
        before, moved_at = self._seen.get(partition, (position, now))
        if position != before or (position is not None and position >= end):
            moved_at = now
        if now - moved_at > PATIENCE_SECONDS:
            raise PartitionStuck(
                f"{partition} stands at {position} of {end} for {now - moved_at:.0f} s; the process is to start anew"
            )
        return position, moved_at
