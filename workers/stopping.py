"""When a process should end: on a signal, or, if it is supervised, when its supervisor is gone."""

import os
import signal
import threading
from types import FrameType


class Stop:
    """Asked at every turn of a loop. A second signal ends the process at once."""

    def __init__(self, *, supervised: bool = False) -> None:
        self._asked = threading.Event()
        self._supervisor = os.getppid() if supervised else None

    def on_signals(self) -> "Stop":
        """Stop on SIGTERM and SIGINT; returns itself."""
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)
        return self

    def ask(self) -> None:
        """Ask the loop to end after its current turn."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set() or self._is_orphan

    @property
    def _is_orphan(self) -> bool:
        return self._supervisor is not None and os.getppid() != self._supervisor

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until somebody asks to stop."""
        self._asked.wait(seconds)

    def _signalled(self, _signal: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            os._exit(1)
        self._asked.set()
