"""`make run`, from the first start to Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from stack.ports import find_free
from stack.process import CHECKOUT, end_leftovers
from stack.state import StateFolder

START_SECONDS = 90


class Run:
    """A stack that somebody started in a terminal."""

    def __init__(self, *, folder: Path, port: int) -> None:
        self.state = StateFolder(path=folder)
        self.address = f"http://localhost:{port}/"
        self._output = folder.with_suffix(".out")
        with self._output.open("wb") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "stack", "run", str(folder), "--port", str(port)],
                cwd=CHECKOUT,
                env={name: value for name, value in os.environ.items() if name not in ("PORT", "BROKERS")},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, pattern: str) -> None:
        until = time.monotonic() + START_SECONDS
        while not re.search(pattern, self._output.read_text()):
            assert self._popen.poll() is None, self._output.read_text()
            assert time.monotonic() < until, self._output.read_text()
            time.sleep(0.05)

    def pid(self, name: str) -> int:
        return int(self.state.read_processes()[name]["pid"])

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        self._popen.send_signal(number)
        return self._popen.wait(timeout=10)

    def processes(self) -> list[psutil.Process]:
        """Every living process that has to do with the folder of this stack."""
        folder = str(self.state.path)
        return [
            one
            for one in psutil.process_iter(["cmdline", "status"])
            if folder in " ".join(one.info["cmdline"] or [])
        ]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Run]]:
    folder, port = tmp_path / "state", find_free()

    yield lambda: Run(folder=folder, port=port)

    end_leftovers(state=StateFolder(path=folder))


def answers(address: str) -> bool:
    with urllib.request.urlopen(address, timeout=30) as response:  # noqa: S310
        return bool(response.status == 200)


def test_a_stack_serves_the_shop_survives_kills_and_stops_on_ctrl_c(start: Callable[[], Run]) -> None:
    first = start()
    first.wait_for("everything runs")
    assert answers(first.address)

    os.kill(first.pid("web"), signal.SIGKILL)
    first.wait_for("web was killed by SIGKILL; it is started again")
    first.wait_for("web is started again")
    first.interrupt(signal.SIGKILL)
    assert first.processes() != []

    second = start()
    second.wait_for("everything runs")
    assert answers(second.address)

    assert second.interrupt() == 0
    assert second.processes() == []
