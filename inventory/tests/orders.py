"""What orders say that inventory hears, and the law that its books must keep."""

from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Sum
from uuid_utils.compat import uuid7

from events.orders import OrderCancelled, OrderPlaced, OrderRejected
from events.values import Address, Line, subtotal_of
from inventory.models import ReservationLine, ReservationStatus, StockAdjustment, StockItem

ADDRESS = Address(
    name="Ada Byron", line1="12 St James's Square", city="London", postal_code="SW1", country="GB"
)


def placed(*pieces: tuple[str, int], order_id: UUID | None = None) -> OrderPlaced:
    """Say that somebody ordered so many pieces of each SKU."""
    lines = tuple(
        Line(sku=sku, title=f"Book {sku}", quantity=count, unit_price=1250) for sku, count in pieces
    )
    return OrderPlaced(
        order_id=order_id or uuid7(),
        number="WB-7K3M-9QXD",
        token="the-token-of-the-order",
        lines=lines,
        total=subtotal_of(lines=lines),
        currency="EUR",
        email="ada@example.org",
        ship_to=ADDRESS,
        payment_method="pm_card_visa",
        placed_at=datetime(2026, 11, 21, 10, tzinfo=UTC),
    )


def cancelled(order: OrderPlaced) -> OrderCancelled:
    """Say that the buyer cancelled."""
    return OrderCancelled(order_id=order.order_id, number=order.number, cancelled_by="buyer")


def rejected(order: OrderPlaced) -> OrderRejected:
    """Say that the order ran out of time."""
    return OrderRejected(order_id=order.order_id, number=order.number, reason="expired")


def assert_books_balance() -> None:
    """Check for every SKU: what staff put in = what is for sale + what is held."""
    adjusted = _by_sku(StockAdjustment.objects.values_list("stock_item_id").annotate(Sum("quantity")))
    held_lines = ReservationLine.objects.filter(reservation__status=ReservationStatus.HELD)
    held = _by_sku(held_lines.values_list("stock_item_id").annotate(Sum("quantity")).order_by())
    for sku, available in StockItem.objects.values_list("sku", "available"):
        assert adjusted.get(sku, 0) == available + held.get(sku, 0), sku


def _by_sku(sums: object) -> dict[str, int]:
    return dict(sums.order_by())  # type: ignore[attr-defined]
