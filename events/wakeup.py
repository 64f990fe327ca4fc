"""Tell the relay that something was committed.

The notification goes out after the commit, on a connection of its own: NOTIFY inside the business
transaction takes a lock that serialises all commits of the database. One thread per process sends it, so many
commits in a moment become one notification.
"""

import logging
import os
import threading
import time

import psycopg
from django.db import connection
from psycopg import sql

CHANNEL = "outbox"

# What is committed meanwhile shares the next notification.
_AT_MOST_EVERY_SECONDS = 0.002

logger = logging.getLogger(__name__)


class _Waker:
    """The thread that turns commits into notifications. Losing one is harmless: the relay also polls."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._lock = threading.Lock()

    def wake(self) -> None:
        if self._pid != os.getpid():
            self._start()
        self._wanted.set()

    def close(self) -> None:
        if self._thread and self._pid == os.getpid():
            self._closing = True
            self._wanted.set()
            self._thread.join()
        self._pid = 0

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._closing = False
            parameters = connection.get_connection_params()
            self._thread = threading.Thread(
                target=self._run, args=(parameters,), name="outbox-waker", daemon=True
            )
            self._thread.start()

    def _run(self, parameters: dict[str, object]) -> None:
        while not self._closing:
            try:
                with _connect(parameters=parameters) as own:
                    self._notify_for_ever(own)
            except psycopg.Error as error:
                logger.debug("outbox wake-up lost: %s", error)
                self._wanted.wait(1)

    def _notify_for_ever(self, own: psycopg.Connection[object]) -> None:
        notify = sql.SQL("NOTIFY {}").format(sql.Identifier(CHANNEL)).as_bytes(own)
        while not self._closing:
            self._wanted.wait()
            self._wanted.clear()
            own.execute(notify)
            time.sleep(_AT_MOST_EVERY_SECONDS)


def _connect(*, parameters: dict[str, object]) -> psycopg.Connection[object]:
    known = {name: value for name, value in parameters.items() if name not in ("cursor_factory", "context")}
    return psycopg.connect(**known, autocommit=True)  # type: ignore[arg-type]


_waker = _Waker()


def wake_relay() -> None:
    """Ask the relay to look at the outbox now. Returns at once; call it after the commit."""
    _waker.wake()


def stop_waking() -> None:
    """Close this process's connection for notifications; the next `wake_relay` opens another."""
    _waker.close()
