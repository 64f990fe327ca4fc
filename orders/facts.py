"""What events say of an order, read from its rows."""

import msgspec

from events.values import Address
from orders.models import Order


def address_of(*, order: Order) -> Address:
    """Return where the order goes."""
    return msgspec.convert(order.ship_to, Address)
