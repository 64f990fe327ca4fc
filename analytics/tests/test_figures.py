"""Every event counts once, and counting anew from the topics gives the same."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from analytics.handlers import worker
from analytics.models import HourlyFigure, ProductFigures
from events.orders import OrderCompleted, OrderPlaced, OrderRejected
from events.payments import PaymentCaptured, PaymentRefunded
from events.values import Address, Card, Line
from workers.testing import deliver, deliver_records, record_of

pytestmark = pytest.mark.django_db

LINES = (
    Line(sku="FOX-1", title="One", quantity=2, unit_price=1200),
    Line(sku="FOX-2", title="Two", quantity=1, unit_price=900),
)
HOME = Address(name="Ada", line1="1 Example Street", city="Exampleton", postal_code="1", country="DE")


def placed(order_id: UUID | None = None) -> OrderPlaced:
    return OrderPlaced(
        order_id=order_id or uuid7(),
        number="WB-TEST-0001",
        token="t",
        lines=LINES,
        total=3300,
        currency="EUR",
        email="ada@example.org",
        ship_to=HOME,
        payment_method="pm_test",
        placed_at=datetime.now(UTC),
    )


def completed(order_id: UUID) -> OrderCompleted:
    return OrderCompleted(order_id=order_id, number="WB-TEST-0001", lines=LINES, total=3300, currency="EUR")


def figures() -> dict[tuple[str, str], int]:
    return {(row.figure, row.currency): row.value for row in HourlyFigure.objects.all()}


def test_orders_and_money_are_counted_by_the_hour() -> None:
    order_id = uuid7()
    card = Card(brand="visa", last4="4242")
    money: dict[str, Any] = {"order_id": order_id, "attempt_id": uuid7(), "amount": 3300, "currency": "EUR"}
    deliver(worker, placed(order_id), placed())
    deliver(worker, OrderRejected(order_id=uuid7(), number="WB-TEST-0002", reason="expired"))
    deliver(worker, PaymentCaptured(**money, card=card))
    deliver(worker, PaymentRefunded(**money, refund_id=uuid7()))

    assert figures() == {
        ("placed", ""): 2,
        ("expired", ""): 1,
        ("captured", "EUR"): 3300,
        ("refunded", "EUR"): 3300,
    }


def test_a_product_is_ordered_when_placed_and_sold_when_completed() -> None:
    order_id = uuid7()
    deliver(worker, placed(order_id), placed())
    deliver(worker, completed(order_id))

    one = ProductFigures.objects.get(sku="FOX-1")
    assert (one.title, one.ordered, one.sold, one.revenue) == ("One", 4, 2, 2400)


def test_an_event_delivered_twice_counts_once() -> None:
    record = record_of(placed())
    deliver_records(worker, [record, record])
    deliver_records(worker, [record])
    assert figures() == {("placed", ""): 1}
