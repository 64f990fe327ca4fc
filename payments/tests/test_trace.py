"""What the bank is asked carries the trace of the order that asks."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from events.orders import PaymentRequested
from payments.gateways import close_gateway
from payments.handlers import worker
from workers.testing import deliver_records, record_of


class _Listening(HTTPServer):
    """A provider that declines everything and remembers the trace of each call."""

    heard: list[str]


class _Declining(BaseHTTPRequestHandler):
    server: _Listening

    def do_POST(self) -> None:
        self.server.heard.append(self.headers.get("traceparent", ""))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b'{"id": "ch_1", "status": "declined", "brand": "visa", "last4": "0002"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def heard(settings: object) -> Iterator[list[str]]:
    """The traceparent of every call, in the order of their coming."""
    with _Listening(("127.0.0.1", 0), _Declining) as server:
        server.heard = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        close_gateway()
        settings.BANK_URL = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        yield server.heard
        server.shutdown()
    close_gateway()


@pytest.mark.django_db
def test_a_charge_is_a_span_of_the_trace_of_its_event(
    heard: list[str], ask: Callable[[], PaymentRequested]
) -> None:
    record = record_of(ask())
    asked = record.header("traceparent")

    deliver_records(worker, [record])

    [told] = heard
    assert told.split("-")[1] == asked.split("-")[1]
    assert told != asked
