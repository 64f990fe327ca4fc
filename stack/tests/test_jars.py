"""Apache Kafka's jars: locked, fetched once, and never used when they are not what was locked."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stack import jars
from stack.jars import BadLock, DownloadRefused, Jar, WrongChecksum, ensure_jars, read_lock
from stack.ports import find_free

CONTENT = b"the bytes of a jar"
COORDINATE = "example.foxglove:tea:1.0"
GENUINE = Jar(coordinate=COORDINATE, sha256=hashlib.sha256(CONTENT).hexdigest())
OTHER = Jar(coordinate=COORDINATE, sha256=hashlib.sha256(b"other bytes").hexdigest())


class SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep requests out of the test's output."""


def use_mirror(monkeypatch: pytest.MonkeyPatch, folder: Path, port: int) -> None:
    settings = folder / "jgo.conf"
    settings.write_text(f"[repositories]\nmirror = http://127.0.0.1:{port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """A repository that offers one jar."""
    jar = tmp_path / "repository/example/foxglove/tea/1.0/tea-1.0.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(CONTENT)
    handler = partial(SilentHandler, directory=str(tmp_path / "repository"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        use_mirror(monkeypatch, tmp_path, server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_missing_jar_is_fetched_and_the_next_time_it_is_there(
    tmp_path: Path, mirror: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"

    [path] = ensure_jars(jars=[GENUINE], folder=cache, report=print)
    use_mirror(monkeypatch, tmp_path, find_free())
    again = ensure_jars(jars=[GENUINE], folder=cache, report=pytest.fail)

    assert again == [path]
    assert path.read_bytes() == CONTENT


def test_a_damaged_jar_is_fetched_anew(tmp_path: Path, mirror: ThreadingHTTPServer) -> None:
    damaged = tmp_path / GENUINE.file_name
    damaged.write_bytes(CONTENT[:4])

    [path] = ensure_jars(jars=[GENUINE], folder=tmp_path, report=print)

    assert path.read_bytes() == CONTENT


def test_a_jar_with_another_sum_is_not_used(tmp_path: Path, mirror: ThreadingHTTPServer) -> None:
    cache = tmp_path / "cache"

    with pytest.raises(WrongChecksum, match=rf"{COORDINATE} is not the file that was locked"):
        ensure_jars(jars=[OTHER], folder=cache, report=print)

    assert list(cache.iterdir()) == []


def test_a_refused_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_mirror(monkeypatch, tmp_path, find_free())

    with pytest.raises(DownloadRefused, match="Check the network, and start again"):
        ensure_jars(jars=[GENUINE], folder=tmp_path / "cache", report=print)


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "org.apache.kafka:kafka_2.13:4.3.1\n", "garbage sha256:12\n"]
)
def test_a_damaged_lock_file_is_refused(tmp_path: Path, text: str) -> None:
    lock = tmp_path / "kafka.lock"
    lock.write_text(text)

    with pytest.raises(BadLock, match="make lock"):
        read_lock(path=lock)


def test_the_committed_lock_names_kafka_and_no_host() -> None:
    locked = read_lock()

    assert jars.kafka_version(jars=locked).startswith(jars.SERIES)
    assert "//" not in jars.LOCK.read_text()
