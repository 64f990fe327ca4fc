"""The bank's door: HTTP/1.1 with a thread for each connection.

The standard library's server, because a charge that is never answered then costs one sleeping thread and
disturbs nobody, a port in use is refused, and one core still takes well over a thousand charges a second.
"""

import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from stack.bank.app import Answer, Bank, Request

LONGEST_BODY = 65_536
LONGEST_SILENCE_SECONDS = 60


class BankServer(ThreadingHTTPServer):
    """Serves one bank until told to stop; threads never hold the process up."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, *, host: str, port: int, bank: Bank) -> None:
        """Listen at once. Raises `OSError` if the port is taken."""
        self.bank = bank
        super().__init__((host, port), Conversation)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up; they often do here, by design."""


class Conversation(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server_version = "DemoBank"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: BankServer

    def do_GET(self) -> None:
        """Answer a reading call."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a writing call."""
        self._answer()

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet: the ledger is the record."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            self.send_error(413)
            return
        answer = self.server.bank.answer(self._request(self.rfile.read(length)))
        if answer.withheld:
            self._keep_silent()
        else:
            self._send(answer)

    def _request(self, body: bytes) -> Request:
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, address.path, address.query, headers, body)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _keep_silent(self) -> None:
        # Wakes when the client hangs up, so that impatient clients leave no sleeping threads behind.
        self.close_connection = True
        self.connection.settimeout(LONGEST_SILENCE_SECONDS)
        with suppress(OSError):
            self.connection.recv(1, socket.MSG_PEEK)
