"""Workers that live for one test, and facts to hand them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from events.orders import OrderAdvanced
from workers.consumer import ConsumerLoop
from workers.health import Pulse
from workers.stopping import Stop
from workers.worker import Worker, forget_worker

NewWorker = Callable[..., Worker]


@pytest.fixture
def new_worker() -> Iterator[NewWorker]:
    """Declare workers that are forgotten after the test."""
    names: list[str] = []

    def declare(name: str = "probe", dead_letter: str = "hold", gather_ms: int = 0) -> Worker:
        names.append(name)
        return Worker(name, dead_letter=dead_letter, gather_ms=gather_ms)  # type: ignore[arg-type]

    yield declare
    for name in names:
        forget_worker(name=name)


@contextmanager
def running(worker: Worker) -> Iterator[Pulse]:
    """Run the worker's real loop in a thread."""
    stop, pulse = Stop(), Pulse()
    loop = threading.Thread(target=ConsumerLoop(worker=worker, stop=stop, pulse=pulse).run)
    loop.start()
    try:
        yield pulse
    finally:
        stop.ask()
        loop.join()


def step(*, order_id: UUID | None = None, name: str = "a step") -> OrderAdvanced:
    """Return a fact about an order, a new one unless given."""
    return OrderAdvanced(order_id=order_id or uuid7(), number="WB-TEST-0001", step=name, status="placed")
