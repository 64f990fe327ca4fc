"""A folder that mails arrive in, and a mail server that answers as it is told."""

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from notifications.handlers import WriteToBuyer, worker
from workers import Received
from workers.record import Record, open_record


class Mailbox:
    """The mails that have arrived as files."""

    def __init__(self, *, folder: Path) -> None:
        self.folder = folder

    def mails(self) -> list[EmailMessage]:
        files = sorted(self.folder.iterdir())
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    def subjects(self) -> list[str]:
        return [mail["Subject"] for mail in self.mails()]


@pytest.fixture
def mailbox(settings: Any, tmp_path: Path) -> Mailbox:
    settings.EMAIL_BACKEND = "notifications.backends.MessageFiles"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    return Mailbox(folder=tmp_path)


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as a client asks for; `answers` replaces its answer to a command."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.answers: dict[str, str] = {}
        self.taken: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._answer("connect", "220 ready")
        for line in self.rfile:
            command = line.decode()[:4].strip().upper()
            if command == "QUIT":
                return self._answer("QUIT", "221 bye")
            self._answer(command, "354 go on" if command == "DATA" else "250 ok")
            if command == "DATA" and "DATA" not in self.server.answers:
                self._take_mail()
        return None

    def _take_mail(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        self.server.taken.append(b"".join(lines).decode())
        self._answer("end", "250 taken")

    def _answer(self, command: str, usual: str) -> None:
        self.wfile.write(f"{self.server.answers.get(command, usual)}\r\n".encode())


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
    yield server
    server.close()


def received(record: Record) -> Received[Any]:
    event = open_record(worker=worker, record=record).event
    assert event is not None
    return event


def perform_only(event: Received[Any]) -> None:
    """Handle an event as far as a worker comes that dies before it has recorded the outcome."""
    effect = WriteToBuyer()
    [intent] = effect.prepare([event])
    assert intent is not None
    effect.perform(intent)
