"""Orders that were placed before a test begins, with all that the other services tell of them."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from events.inventory import StockReserved
from events.payments import PaymentCaptured
from events.shipments import ShipmentDelivered, ShipmentDispatched
from events.values import Address, Card, Line
from orders.handlers import worker as saga
from orders.services import PlacedOrder, place_order
from workers.testing import deliver

HOME = Address(name="Ada", line1="1 Example Street", city="Exampleton", postal_code="12345", country="DE")
CARD = Card(brand="visa", last4="4242")


def lines_of(*, quantity: int = 1) -> list[Line]:
    """Return one line of Middlemarch at 14.90 a piece."""
    return [Line(sku="FOX-1", title="Middlemarch", quantity=quantity, unit_price=1490)]


def guest_order(*, email: str = "ada@example.org", quantity: int = 1) -> PlacedOrder:
    """Place an order without an account."""
    return place_order(
        lines=lines_of(quantity=quantity),
        email=email,
        ship_to=HOME,
        payment_method="pm_card_visa",
        currency="EUR",
    )


def delivered_order(*, email: str = "ada@example.org", quantity: int = 1) -> PlacedOrder:
    """Place an order that is held, paid, sent and delivered."""
    order, now = guest_order(email=email, quantity=quantity), timezone.now()
    held = tuple(lines_of(quantity=quantity))
    order_id, until = order.order_id, now + timedelta(minutes=15)
    deliver(saga, StockReserved(order_id=order_id, lines=held, hold_expires_at=until))
    deliver(
        saga,
        PaymentCaptured(order_id=order_id, attempt_id=uuid4(), amount=order.total, currency="EUR", card=CARD),
    )
    deliver(
        saga,
        ShipmentDispatched(
            order_id=order_id, carrier="Owl", tracking_number="OWL1", estimated_delivery_on=now.date()
        ),
    )
    deliver(saga, ShipmentDelivered(order_id=order_id, tracking_number="OWL1", delivered_at=now))
    return order
