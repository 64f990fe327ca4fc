"""Workers that live for one test, and facts to hand them."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from events.orders import OrderAdvanced
from workers.worker import Worker, forget_worker

NewWorker = Callable[..., Worker]


@pytest.fixture
def new_worker() -> Iterator[NewWorker]:
    """Declare workers that are forgotten after the test."""
    names: list[str] = []

    def declare(name: str = "probe", dead_letter: str = "hold") -> Worker:
        names.append(name)
        return Worker(name, dead_letter=dead_letter)  # type: ignore[arg-type]

    yield declare
    for name in names:
        forget_worker(name=name)


def step(*, order_id: UUID | None = None, name: str = "a step") -> OrderAdvanced:
    """Return a fact about an order, a new one unless given."""
    return OrderAdvanced(order_id=order_id or uuid7(), number="WB-TEST-0001", step=name, status="placed")
