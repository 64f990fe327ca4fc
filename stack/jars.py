"""Apache Kafka's jars: which ones, where from, and that they are the ones we locked.

`python -m stack.jars` writes the lock file anew (part of `make lock`).
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import requests
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

from stack import StackError
from stack.state import explained_disk_errors

LOCK = Path(__file__).parent / "kafka.lock"
KAFKA = "org.apache.kafka:kafka_2.13"
SERIES = "4.3."
LOGGING = "org.slf4j:slf4j-simple:1.7.36"
DOWNLOADS_AT_ONCE = 8
LINE = re.compile(r"(?P<coordinate>[\w.:-]+) sha256:(?P<sha256>[0-9a-f]{64})")


class BadLock(StackError):
    """The list of jars cannot be read."""


class DownloadRefused(StackError):
    """A jar cannot be had."""


class WrongChecksum(StackError):
    """A jar is not the one that was locked."""


class Jar(NamedTuple):
    """A jar by its Maven coordinate (`group:artifact:version`) and the SHA-256 of its bytes, in hex."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        """How the jar is called in the cache."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(*, path: Path = LOCK) -> list[Jar]:
    """Return the locked jars; raises `BadLock` on a line that is none."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    matches = [LINE.fullmatch(line) for line in lines]
    if not lines or None in matches:
        raise BadLock(f"{path} is damaged. Restore it from version control, or make it anew: make lock")
    return [Jar(**match.groupdict()) for match in matches if match]


def kafka_version(*, jars: Sequence[Jar]) -> str:
    """Return the version of Kafka among `jars`."""
    return next(jar.coordinate.rsplit(":", 1)[1] for jar in jars if jar.coordinate.startswith(f"{KAFKA}:"))


def cache_folder() -> Path:
    """Return where jars are kept for every checkout of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "waybill" / "jars"


def ensure_jars(*, jars: Sequence[Jar], folder: Path, report: Callable[[str], None]) -> list[Path]:
    """Return the paths of `jars` in `folder`, each with the locked sum; what is missing is downloaded.

    Raises `DownloadRefused` when one cannot be had, `WrongChecksum` when one is not what was locked.
    """
    missing = [jar for jar in jars if not _is_intact(jar=jar, path=folder / jar.file_name)]
    if missing:
        report(f"downloading {len(missing)} jars of Apache Kafka, once ({folder})")
        _download(jars=missing, folder=folder, report=report)
    return [folder / jar.file_name for jar in jars]


def _is_intact(*, jar: Jar, path: Path) -> bool:
    return path.exists() and _sha256(path=path) == jar.sha256


def _sha256(*, path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(*, jars: Sequence[Jar], folder: Path, report: Callable[[str], None]) -> None:
    with explained_disk_errors(path=folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as part, ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            maven = _maven(folder=Path(part))
            fetched = pool.map(lambda jar: _fetch(maven=maven, jar=jar, folder=folder), jars)
            for number, _ in enumerate(fetched, start=1):
                if number % 10 == 0:
                    report(f"{number} of {len(jars)} jars")


def _fetch(*, maven: MavenContext, jar: Jar, folder: Path) -> None:
    try:
        path = maven.create_dependency(jar.coordinate).artifact.resolve()
    except (requests.RequestException, RuntimeError) as error:
        raise DownloadRefused(
            f"Cannot download {jar.coordinate} ({type(error).__name__}). Check the network, and start again; "
            "a mirror can be named in jgo's configuration file."
        ) from error
    if not _is_intact(jar=jar, path=path):
        raise WrongChecksum(
            f"{jar.coordinate} is not the file that was locked in {LOCK.name}; it was not used."
        )
    shutil.move(path, folder / jar.file_name)


def _maven(*, folder: Path) -> MavenContext:
    mirrors = GlobalSettings.load().repositories
    return MavenContext(repo_cache=folder, remote_repos={**mirrors, "central": MAVEN_CENTRAL_URL}, timeout=30)


def lock() -> None:
    """Write the lock file for the newest release of our series of Kafka."""
    with tempfile.TemporaryDirectory() as folder:
        maven = _maven(folder=Path(folder))
        wanted = [maven.create_dependency(coordinate) for coordinate in (_newest(maven=maven), LOGGING)]
        given, transitive = maven.resolver.resolve(wanted)
        artifacts = [one.artifact for one in given]
        artifacts += [one.artifact for one in transitive if one.scope in ("compile", "runtime")]
        lines = [
            f"{one.groupId}:{one.artifactId}:{one.version} sha256:{_sha256(path=one.resolve())}"
            for one in artifacts
        ]
    LOCK.write_text("# Made by `make lock`: the jars of Apache Kafka.\n" + "\n".join(sorted(lines)) + "\n")


def _newest(*, maven: MavenContext) -> str:
    project = maven.project(*KAFKA.split(":"))
    project.update()
    versions = [
        one for one in project.metadata.versions if one.startswith(SERIES) and one.replace(".", "").isdigit()
    ]
    return f"{KAFKA}:{max(versions, key=lambda one: [int(part) for part in one.split('.')])}"


if __name__ == "__main__":
    lock()
