"""The inventory worker: holds pieces for orders, and gives them back when an order ends without a sale."""

from collections.abc import Sequence

from events import Received
from events.orders import OrderCancelled, OrderPlaced, OrderRejected, ReturnReceived
from inventory.reservations import release, reserve
from inventory.services import take_back
from workers import Worker

worker = Worker("inventory", dead_letter="hold")


@worker.on(OrderPlaced)
def reserve_stock(events: Sequence[Received[OrderPlaced]]) -> None:
    """Hold the pieces of each order, or say which are short."""
    reserve(events=events)


@worker.on(OrderRejected, OrderCancelled)
def release_stock(events: Sequence[Received[OrderRejected | OrderCancelled]]) -> None:
    """Put the pieces of ended orders back on the shelf."""
    release(events=events)


@worker.on(ReturnReceived)
def put_returns_back(events: Sequence[Received[ReturnReceived]]) -> None:
    """Sell again what buyers have sent back."""
    for event in events:
        take_back(event=event)
