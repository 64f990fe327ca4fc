"""Orders to tell stories about."""

from collections.abc import Callable
from typing import Any

import pytest

from events.values import Address, Line
from orders.models import Order
from orders.services import place_order

Place = Callable[..., Order]

ADDRESS = Address(
    name="Ada Example", line1="1 Example Street", city="Exampleton", postal_code="12345", country="DE"
)
LINES = [Line(sku="FOX-1", title="One", quantity=2, unit_price=1200)]


def wish(**changes: Any) -> dict[str, Any]:
    """Return the arguments of an order."""
    return {
        "lines": LINES,
        "email": "ada@example.org",
        "ship_to": ADDRESS,
        "payment_method": "pm_test",
        "currency": "EUR",
        **changes,
    }


@pytest.fixture
def place() -> Place:
    """Place an order and return its row."""

    def place(**changes: Any) -> Order:
        return Order.objects.get(id=place_order(**wish(**changes)).order_id)

    return place
