"""The state folder: what a stack keeps between two starts, and what tells others that it runs."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stack import StackError, ports

NEEDED_BYTES = 1_000_000_000
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the socket's own name and a closing zero included.
LONGEST_SOCKET_FOLDER = 80


class AlreadyRunning(StackError):
    """Another stack works in the same state folder."""


class NoSpace(StackError):
    """The disk has no room for the state folder."""


class StateFolder:
    """One folder with everything a stack keeps; two of them never meet."""

    def __init__(self, *, path: Path) -> None:
        self.path = path.absolute()

    @property
    def logs(self) -> Path:
        """Where each process writes its log."""
        return self.path / "logs"

    @property
    def mail(self) -> Path:
        """Where the shop's mails are put."""
        return self.path / "mail"

    @property
    def env(self) -> Path:
        """The addresses of the running servers, a line each."""
        return self.path / "env"

    @property
    def sign_in(self) -> Path:
        """User name and password of the first member of staff."""
        return self.path / "sign-in"

    @property
    def socket_folder(self) -> Path:
        """A folder whose path is short enough for a Unix socket; the same for the same state folder."""
        inside = self.path / "run"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"waybill-{os.getuid()}-{digest}"

    def create(self) -> None:
        """Make the folder and its parts; raise `NoSpace` when the disk is as good as full."""
        with explained_disk_errors(path=self.path):
            for folder in (self.path, self.logs, self.mail):
                folder.mkdir(parents=True, exist_ok=True)
            # The database server of a root user runs as another user, who has to get through.
            self.path.chmod(0o711)
        if shutil.disk_usage(self.path).free < NEEDED_BYTES:
            raise NoSpace(
                f"Less than 1 GB is free where {self.path} is. Make room, or set STACK_DIR to another disk."
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder to this process; raise `AlreadyRunning` when another has it."""
        with (self.path / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(self._who_runs(file.name)) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _who_runs(self, lock: str) -> str:
        pid = Path(lock).read_text() or "unknown"
        return (
            f"A stack already runs in {self.path} (process {pid}). "
            "Stop it with Ctrl-C, or start a second one beside it: STACK_DIR=.stack-2 PORT=8001 make run"
        )

    def port(self, *, name: str) -> int:
        """Return the port of the server `name`: the one it had, as long as that is free, else a new one."""
        kept: dict[str, int] = self._read_json("ports.json")
        if name not in kept or not ports.is_free(port=kept[name]):
            kept[name] = ports.find_free()
            self._write_private("ports.json", json.dumps(kept, indent=1))
        return kept[name]

    def secret(self, *, name: str) -> str:
        """Return the secret `name` of this folder, made at the first call and kept."""
        file = self.path / name
        if not file.exists():
            self._write_private(name, secrets.token_urlsafe(48))
        return file.read_text()

    def write_env(self, *, variables: Mapping[str, str]) -> None:
        """Leave `variables` where `manage.py` in another terminal finds them."""
        self._write_private("env", "".join(f"{name}={value}\n" for name, value in variables.items()))

    def read_env(self) -> dict[str, str]:
        """Return what `write_env` left, or nothing when this folder never had a running stack."""
        lines = self.env.read_text().splitlines() if self.env.exists() else []
        return dict(line.split("=", 1) for line in lines)

    def write_sign_in(self, *, text: str) -> None:
        """Keep the sign-in of the staff, readable for the owner alone."""
        self._write_private("sign-in", text)

    def read_processes(self) -> dict[str, dict[str, float]]:
        """Return by name the processes that a stack of this folder started and has not seen end."""
        return self._read_json("processes.json")

    def write_processes(self, *, processes: Mapping[str, Mapping[str, float]]) -> None:
        """Remember `processes` for the next start."""
        self._write_private("processes.json", json.dumps(processes, indent=1))

    def _read_json(self, name: str) -> dict[str, Any]:
        file = self.path / name
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def _write_private(self, name: str, text: str) -> None:
        part = self.path / f"{name}.part"
        with explained_disk_errors(path=self.path), open(part, "w", opener=_owner_only) as file:
            file.write(text)
        part.replace(self.path / name)


@contextlib.contextmanager
def explained_disk_errors(*, path: Path) -> Iterator[None]:
    """Turn a full or unwritable disk under `path` into `NoSpace` with one line of advice."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOTDIR):
            raise
        raise NoSpace(
            f"Cannot write to {path} ({error.strerror}). Make room there, or move it with STACK_DIR."
        ) from None


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
