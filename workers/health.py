"""What a process tells of itself over HTTP: `/livez`, `/readyz` and `/metrics`."""

import json
import logging
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

_ALIVE_SECONDS = 60.0
_LOOK_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Pulse:
    """The last sign of life of a loop, and what it is waiting for. Liveness means progress."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._waiting_for = "its first turn"

    def beat(self, *, waiting_for: str = "") -> None:
        """Note that the loop has turned; `waiting_for` names a dependency that is missing."""
        self._at = time.monotonic()
        self._waiting_for = waiting_for

    @property
    def alive(self) -> bool:
        return time.monotonic() - self._at < _ALIVE_SECONDS

    @property
    def waiting_for(self) -> str:
        return self._waiting_for


def watch_over(*, name: str, pulse: Pulse) -> None:
    """End the process when its loop has not turned for a minute, so that its supervisor starts it anew."""

    def watch() -> None:
        while pulse.alive:
            time.sleep(_LOOK_SECONDS)
        logger.critical("%s has not turned for %.0f s and is ended", name, _ALIVE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="watchdog", daemon=True).start()


def serve_health(*, name: str, pulse: Pulse, port: int) -> ThreadingHTTPServer:
    """Answer on `port` in a thread of its own until the process ends; port 0 takes a free one."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path:
                case "/livez":
                    self._json(ok=pulse.alive)
                case "/readyz":
                    self._json(ok=pulse.alive and not pulse.waiting_for)
                case "/metrics":
                    self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
                case _:
                    self._answer(404, "text/plain", b"Known are /livez, /readyz and /metrics.\n")

        def _json(self, *, ok: bool) -> None:
            body = {"process": name, "ok": ok, "waiting_for": pulse.waiting_for or None}
            self._answer(200 if ok else 503, "application/json", json.dumps(body).encode())

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: a probe every few seconds is no news."""

    server = ThreadingHTTPServer(("", port), Health)
    logger.info("%s answers /livez, /readyz and /metrics on port %d", name, server.server_port)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
