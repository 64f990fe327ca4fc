"""When a process should end: on a signal, or when the supervisor that started it is gone."""

import os
import signal
import threading
from types import FrameType


class Stop:
    """Asked at every turn of a loop. A second signal ends the process at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._parent = os.getppid()

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
        return self._asked.is_set() or os.getppid() != self._parent

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until somebody asks to stop."""
        self._asked.wait(seconds)

    def _signalled(self, _signal: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            os._exit(1)
        self._asked.set()
