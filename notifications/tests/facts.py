"""What happens to an order that a buyer should hear of."""

from datetime import UTC, date, datetime
from typing import Any

from uuid_utils.compat import uuid7

from events.orders import OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected
from events.payments import PaymentActionRequired, PaymentDeclined, PaymentRefunded
from events.shipments import ShipmentDelivered, ShipmentDispatched
from events.values import Address, Card, Line

CARD = Card(brand="visa", last4="0002")


def placed(
    *,
    title: str = "Emma",
    name: str = "Ada Byron",
    number: str = "WB-7K3M-9QXD",
    token: str = "the-token",  # noqa: S107  (no secret)
    language: str = "en",
    buyer_id: int | None = None,
) -> OrderPlaced:
    """Say that somebody ordered two pieces of one book."""
    return OrderPlaced(
        order_id=uuid7(),
        number=number,
        token=token,
        lines=(Line(sku="EMMA", title=title, quantity=2, unit_price=1240),),
        total=2480,
        currency="EUR",
        email="ada@example.org",
        ship_to=Address(
            name=name, line1="12 St James's Square", city="London", postal_code="SW1", country="GB"
        ),
        payment_method="pm_card_visa",
        placed_at=datetime(2026, 11, 21, 10, tzinfo=UTC),
        language=language,
        buyer_id=buyer_id,
    )


def declined(order: OrderPlaced, *, code: str = "insufficient_funds") -> PaymentDeclined:
    """Say that the card was refused."""
    return PaymentDeclined(order_id=order.order_id, attempt_id=uuid7(), decline_code=code, card=CARD)


def rejected(order: OrderPlaced, *, reason: Any) -> OrderRejected:
    """Say that the order ended without a sale."""
    return OrderRejected(order_id=order.order_id, number=order.number, reason=reason)


def confirmed(order: OrderPlaced) -> OrderConfirmed:
    """Say that the order is paid."""
    return OrderConfirmed(
        order_id=order.order_id,
        number=order.number,
        lines=order.lines,
        total=order.total,
        currency=order.currency,
        ship_to=order.ship_to,
    )


def action_required(order: OrderPlaced) -> PaymentActionRequired:
    """Say that the bank wants to ask the buyer."""
    return PaymentActionRequired(
        order_id=order.order_id, attempt_id=uuid7(), action_url="https://bank.example/ask", card=CARD
    )


def refunded(order: OrderPlaced) -> PaymentRefunded:
    """Say that the money went back."""
    return PaymentRefunded(
        order_id=order.order_id, attempt_id=uuid7(), refund_id=uuid7(), amount=2480, currency="EUR"
    )


def dispatched(order: OrderPlaced) -> ShipmentDispatched:
    """Say that the parcel has left."""
    return ShipmentDispatched(
        order_id=order.order_id,
        carrier="Foxglove Post",
        tracking_number="FX123456789012",
        estimated_delivery_on=date(2026, 11, 24),
    )


def delivered(order: OrderPlaced) -> ShipmentDelivered:
    """Say that the parcel was handed over."""
    return ShipmentDelivered(
        order_id=order.order_id,
        tracking_number="FX123456789012",
        delivered_at=datetime(2026, 11, 24, 9, tzinfo=UTC),
    )


def cancelled(order: OrderPlaced, *, by: Any = "buyer") -> OrderCancelled:
    """Say that the order was called off."""
    return OrderCancelled(order_id=order.order_id, number=order.number, cancelled_by=by)
