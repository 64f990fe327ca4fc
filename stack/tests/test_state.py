"""The state folder."""

import os
import shutil
import socket
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from stack.state import LONGEST_SOCKET_FOLDER, AlreadyRunning, NoSpace, StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(path=tmp_path / "state")
    folder.create()
    return folder


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_stack_is_told_who_runs_and_how_to_start_beside_it(state: StateFolder) -> None:
    again = StateFolder(path=state.path)

    with (
        state.locked(),
        pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}.*STACK_DIR=\S+ PORT=\d+ make run"),
        again.locked(),
    ):
        pytest.fail("two stacks had the folder at once")


def test_the_folder_is_free_again_when_the_first_stack_has_stopped(state: StateFolder) -> None:
    with state.locked():
        pass

    with StateFolder(path=state.path).locked():
        pass


def test_the_addresses_are_a_line_each_and_private(state: StateFolder) -> None:
    state.write_env(variables={"DATABASE_URL": "postgresql://waybill@%2Frun/waybill?a=b", "DEBUG": "false"})

    assert state.env.read_text() == "DATABASE_URL=postgresql://waybill@%2Frun/waybill?a=b\nDEBUG=false\n"
    assert permissions(state.env) == 0o600
    assert state.read_env()["DATABASE_URL"] == "postgresql://waybill@%2Frun/waybill?a=b"


def test_a_secret_is_made_once_and_private(state: StateFolder) -> None:
    first = state.secret(name="secret-key")

    assert StateFolder(path=state.path).secret(name="secret-key") == first
    assert len(first) >= 50
    assert permissions(state.path / "secret-key") == 0o600


def test_a_server_keeps_its_port_as_long_as_nobody_took_it(state: StateFolder) -> None:
    port = state.port(name="kafka-1")

    assert state.port(name="kafka-1") == port
    with socket.create_server(("127.0.0.1", port)):
        assert state.port(name="kafka-1") != port


def test_a_socket_fits_below_however_long_a_path(tmp_path: Path) -> None:
    short = StateFolder(path=Path("/srv/waybill"))
    deep = StateFolder(path=tmp_path / ("deep" * 40))
    deeper = StateFolder(path=tmp_path / ("deep" * 41))

    assert short.socket_folder == Path("/srv/waybill/run")
    assert len(str(deep.socket_folder)) <= LONGEST_SOCKET_FOLDER
    assert deep.socket_folder != deeper.socket_folder


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_000_000))

    with pytest.raises(NoSpace, match="Make room, or set STACK_DIR"):
        StateFolder(path=tmp_path / "state").create()


def test_a_disk_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(NoSpace, match=r"Cannot write to .*\(Not a directory\).*STACK_DIR"):
        StateFolder(path=file / "state").create()
