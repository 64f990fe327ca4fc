"""One program under the stack's care: start it, know whether it lives, end it with all it started."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from stack import StackError
from stack.state import StateFolder

CHECKOUT = Path(__file__).resolve().parent.parent


class ProcessFailed(StackError):
    """A program of the stack ended, or did not become ready; the message names its log."""


class Process:
    """A program in a session of its own, so that the terminal's Ctrl-C does not reach it."""

    is_server = False  # servers are stopped after those who use them

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        state: StateFolder,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.stop_signal = stop_signal
        self.log = state.logs / f"{name}.log"
        self._environment = environment
        self._state = state
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises `ProcessFailed` when it was never started."""
        if self._popen is None:
            raise ProcessFailed(f"{self.name} was not started.")
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while the program lives; negative numbers are signals, as in `subprocess`."""
        return self._popen.poll() if self._popen else None

    @property
    def is_running(self) -> bool:
        """Whether the program lives."""
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start the program; what it writes is appended to its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                env=dict(self._environment) if self._environment is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=CHECKOUT,
                start_new_session=True,
            )
        _remember(state=self._state, process=self)

    def wait_until_ready(self, *, seconds: float) -> None:
        """Return when `is_ready` says so; raise `ProcessFailed` when that takes too long or never comes."""
        until = time.monotonic() + seconds
        while not self.is_ready():
            if not self.is_running:
                raise ProcessFailed(f"{self.name} {self.how_it_ended()}")
            if time.monotonic() > until:
                raise ProcessFailed(f"{self.name} was not ready after {seconds:.0f} s; its log is {self.log}")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """Whether the program does its work already; servers say more exactly when."""
        return self.is_running

    def how_it_ended(self) -> str:
        """What to tell about the end of the program: the signal that killed it, or its last words."""
        code = self.exit_code or 0
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with {code}: {self.last_words()} (all of it: {self.log})"

    def last_words(self) -> str:
        """The last line of the program's log that says something."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")

    def ask_to_stop(self) -> None:
        """Send the program the signal on which it stops in order."""
        if self.is_running:
            os.kill(self.pid, self.stop_signal)

    def stop(self, *, seconds: float) -> None:
        """Let the program stop in order; whatever of it is left after `seconds` is killed."""
        self.ask_to_stop()
        self.wait(seconds=seconds)
        self.kill()

    def wait(self, *, seconds: float) -> None:
        """Wait until the program ended, at most `seconds`."""
        if self._popen is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout=max(seconds, 0))

    def kill(self) -> None:
        """End the program and everything it started, now."""
        if self._popen is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        _forget(state=self._state, process=self)


def stop_all(*, processes: Sequence[Process], seconds: float) -> None:
    """Stop `processes` side by side; what is left after `seconds` is killed."""
    until = time.monotonic() + seconds
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.wait(seconds=until - time.monotonic())
        process.kill()


def end_leftovers(*, state: StateFolder, seconds: float = 5) -> None:
    """End what an earlier stack of `state` started and, killed itself, could not stop."""
    left = [member for record in state.read_processes().values() for member in _members(record=record)]
    for process, stop_signal in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(stop_signal)
    processes = [process for process, _ in left]
    _wait_until_gone(processes=processes, seconds=seconds)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _wait_until_gone(processes=processes, seconds=seconds)
    state.write_processes(processes={})


def _members(*, record: Mapping[str, float]) -> list[tuple[psutil.Process, int]]:
    """Return the living processes of the session that `record` names, each with the signal to stop it.

    A process id comes round again, so the record holds when its process was born: nobody of an elder session
    with the same number is touched.
    """
    session, born_at, stop_signal = int(record["pid"]), record["born_at"], int(record["stop_signal"])
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            is_member = os.getsid(process.pid) == session and process.create_time() >= born_at - 0.1
            if is_member and _lives(process):
                found.append((process, stop_signal))
    return found


def _wait_until_gone(*, processes: Sequence[psutil.Process], seconds: float) -> None:
    until = time.monotonic() + seconds
    while any(map(_lives, processes)) and time.monotonic() < until:
        time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    # A zombie has ended; that its parent has not looked yet is not our concern.
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    return False


def _remember(*, state: StateFolder, process: Process) -> None:
    records = state.read_processes()
    with contextlib.suppress(psutil.NoSuchProcess):
        born_at = psutil.Process(process.pid).create_time()
        records[process.name] = {
            "pid": process.pid,
            "born_at": born_at,
            "stop_signal": int(process.stop_signal),
        }
    state.write_processes(processes=records)


def _forget(*, state: StateFolder, process: Process) -> None:
    records = state.read_processes()
    records.pop(process.name, None)
    # Stopping goes on when the disk is full or the folder gone; a stale record harms nobody.
    with contextlib.suppress(OSError, StackError):
        state.write_processes(processes=records)
