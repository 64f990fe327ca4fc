"""Clients that load a web server: as plain as can be, since they share the machine with what they measure."""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

# A request, and the moment it is due; None for as soon as a connection is free.
Due = tuple[bytes, float | None]
Take = Callable[[], Due | None]


class Answer(NamedTuple):
    """What came back: the status, the seconds from the intended moment of sending, and the body."""

    status: int
    seconds: float
    body: bytes


class Connection:
    """One keep-alive connection that sends ready-made requests."""

    def __init__(self, *, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body; the answer must say how long it is."""
        self._socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        head, _, body = received.partition(b"\r\n\r\n")
        length = _content_length(head=head)
        while len(body) < length:
            body += self._receive()
        return int(head[9:12]), body

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("The server hung up in the middle of an answer.")
        return data


def get(path: str) -> bytes:
    """Return a GET request as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: identity\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    """Return a POST request with a JSON body as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def closed_loop(
    *, port: int, requests: Sequence[bytes], connections: int, patient: bool = False
) -> tuple[list[Answer], float]:
    """Send the requests over so many connections, each sending its next when it has its answer.

    Returns the answers and the seconds all of it took. A patient client takes a broken connection for an answer
    with status 0, and connects anew; otherwise it is an error.
    """
    waiting: deque[Due] = deque((request, None) for request in requests)
    started = time.monotonic()
    answers = _work_off(port=port, connections=connections, take=_taker(waiting), patient=patient)
    return answers, time.monotonic() - started


def open_loop(*, port: int, requests: Sequence[bytes], per_second: float, connections: int) -> list[Answer]:
    """Send the requests at a steady rate, whether or not earlier ones were answered.

    The time of an answer counts from the moment its request was due, so a server that stalls is not spared
    the requests it kept waiting (coordinated omission).
    """
    first = time.monotonic() + 0.1
    due: deque[Due] = deque((request, first + number / per_second) for number, request in enumerate(requests))
    return _work_off(port=port, connections=connections, take=_taker(due))


def _taker(waiting: deque[Due]) -> Take:
    def take() -> Due | None:
        try:
            return waiting.popleft()
        except IndexError:
            return None

    return take


def _work_off(*, port: int, connections: int, take: Take, patient: bool = False) -> list[Answer]:
    answers: list[Answer] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            _ask_all(port=port, take=take, answers=answers, patient=patient)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return answers


def _ask_all(*, port: int, take: Take, answers: list[Answer], patient: bool) -> None:
    connection = Connection(port=port)
    while taken := take():
        request, due_at = taken
        if due_at is not None:
            time.sleep(max(0.0, due_at - time.monotonic()))
        sent_at = time.monotonic() if due_at is None else due_at
        try:
            status, body = connection.ask(request)
        except OSError:
            if not patient:
                raise
            status, body, connection = 0, b"", _reconnect(port=port)
        answers.append(Answer(status, time.monotonic() - sent_at, body))
    connection.close()


def _reconnect(*, port: int) -> Connection:
    while True:
        try:
            return Connection(port=port)
        except OSError:
            time.sleep(0.05)


def _content_length(*, head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
