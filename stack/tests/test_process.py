"""Programs under the stack's care."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from stack.process import CHECKOUT, Process, ProcessFailed, end_leftovers
from stack.state import StateFolder
from stack.supervisor import LONGEST_PAUSE, Supervisor

SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
PARENT = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}]).pid, flush=True)
{SLEEP}
"""
KILLED_STACK = f"""
import os, sys
from pathlib import Path
from stack.process import Process
from stack.state import StateFolder
state = StateFolder(path=Path(sys.argv[1]))
process = Process(name="left", command=[sys.executable, "-c", {SLEEP!r}], state=state)
process.start()
print(process.pid, flush=True)
os._exit(9)
"""


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(path=tmp_path / "state")
    folder.create()
    return folder


@pytest.fixture
def start(state: StateFolder) -> Iterator[Callable[[str], Process]]:
    """Start a Python program under the stack's care."""
    started: list[Process] = []

    def start_program(code: str) -> Process:
        process = Process(name=f"program-{len(started)}", command=[sys.executable, "-c", code], state=state)
        started.append(process)
        process.start()
        return process

    yield start_program
    for process in started:
        process.kill()


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the condition never came true"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_program_that_hears_the_signal_stops_at_once(start: Callable[[str], Process]) -> None:
    process = start(SLEEP)

    process.stop(seconds=30)

    assert process.exit_code == -signal.SIGTERM


def test_a_program_that_does_not_hear_is_killed_in_the_end(start: Callable[[str], Process]) -> None:
    process = start(STUBBORN)
    wait_until(lambda: process.last_words() == "deaf")

    process.stop(seconds=0.1)

    assert process.exit_code == -signal.SIGKILL


def test_what_a_program_started_ends_with_it(start: Callable[[str], Process]) -> None:
    process = start(PARENT)
    wait_until(lambda: process.last_words().isdigit())
    child = int(process.last_words())

    process.stop(seconds=30)

    wait_until(lambda: is_gone(child))


class Server(Process):
    """A program that is never ready."""

    def is_ready(self) -> bool:
        return False


def test_a_server_that_fails_at_start_is_told_with_its_last_words(state: StateFolder) -> None:
    server = Server(name="bank", command=[sys.executable, "-c", "raise SystemExit('no ink')"], state=state)
    server.start()

    with pytest.raises(ProcessFailed, match="bank ended with 1: no ink"):
        server.wait_until_ready(seconds=30)


def test_what_a_killed_stack_left_running_is_ended_by_the_next_one(state: StateFolder) -> None:
    command = [sys.executable, "-c", KILLED_STACK, str(state.path)]
    killed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    left = int(killed.stdout)
    assert not is_gone(left)

    end_leftovers(state=state)

    assert is_gone(left)
    assert state.read_processes() == {}


def test_a_stranger_with_the_number_of_a_dead_program_is_left_alone(
    state: StateFolder, start: Callable[[str], Process]
) -> None:
    stranger = start(SLEEP)
    record = {"pid": stranger.pid, "born_at": time.time() + 3600, "stop_signal": signal.SIGTERM}
    state.write_processes(processes={"web": record})

    end_leftovers(state=state)

    assert stranger.is_running


def test_the_sweeper_takes_everything_down_when_its_owner_is_gone(
    state: StateFolder, start: Callable[[str], Process]
) -> None:
    process = start(SLEEP)
    command = [sys.executable, "-m", "stack.sweeper", str(state.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=CHECKOUT) as sweeper:
        assert process.is_running
        sweeper.communicate(timeout=30)

    assert not process.is_running
    assert not state.path.exists()


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_killed_program_is_started_again_and_that_is_said(start: Callable[[str], Process]) -> None:
    process, said, clock = start(SLEEP), list[str](), Clock()
    supervisor = Supervisor(report=said.append, clock=clock)
    supervisor.watch(process=process)
    first = process.pid

    process.kill()
    supervisor.look()
    clock.now += 1
    supervisor.look()

    assert process.is_running
    assert process.pid != first
    assert said == [
        f"{process.name} was killed by SIGKILL; it is started again in 0.5 s",
        f"{process.name} is started again",
    ]


def test_a_program_that_keeps_dying_is_given_ever_longer_pauses(start: Callable[[str], Process]) -> None:
    process, said, clock = start("raise SystemExit(3)"), list[str](), Clock()
    supervisor = Supervisor(report=said.append, clock=clock)
    supervisor.watch(process=process)

    for _ in range(8):
        process.wait(seconds=30)
        supervisor.look()
        clock.now += LONGEST_PAUSE
        supervisor.look()

    pauses = [line.split(" again in ")[1] for line in said if " again in " in line]
    assert pauses == ["0.5 s", "1 s", "2 s", "4 s", "8 s", "16 s", "30 s", "30 s"]
