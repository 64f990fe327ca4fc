"""`python -m stack`, as `make run` calls it: what goes wrong is told in one line."""

import socket
import subprocess
import sys
from pathlib import Path

from stack.process import CHECKOUT
from stack.state import StateFolder


def run_stack(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stack", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


def test_a_taken_port_ends_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])

        ended = run_stack("run", str(tmp_path / "state"), "--port", port)

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(f"waybill: Port {port} is taken.")


def test_a_second_start_ends_with_one_line(tmp_path: Path) -> None:
    state = StateFolder(path=tmp_path / "state")
    state.create()

    with state.locked():
        ended = run_stack("run", str(state.path))

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(f"waybill: A stack already runs in {state.path}")


def test_another_number_of_brokers_than_the_folder_holds_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "state" / "kafka-1").mkdir(parents=True)

    ended = run_stack("run", str(tmp_path / "state"), "--brokers", "3")

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "holds a cluster of 1" in ended.stderr
