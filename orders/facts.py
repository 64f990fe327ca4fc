"""What events say of an order, read from its rows."""

import msgspec

from events.values import Address, Line
from orders.models import Order


def address_of(*, order: Order) -> Address:
    """Return where the order goes."""
    return msgspec.convert(order.ship_to, Address)


def lines_of(*, order: Order) -> tuple[Line, ...]:
    """Return the order's lines in their order."""
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    return tuple(
        Line(sku=line.sku, title=line.title, quantity=line.quantity, unit_price=line.unit_price)
        for line in lines
    )
