"""The values that events are made of."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

Amount = Annotated[int, Meta(ge=0, description="Money in minor units (cents).")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 code.")]
Quantity = Annotated[int, Meta(gt=0, le=9999)]
Sku = Annotated[str, Meta(min_length=1, max_length=64)]
LastFour = Annotated[str, Meta(pattern=r"^\d{4}$")]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """So many pieces of one product, at the price of that moment."""

    sku: Sku
    title: str
    quantity: Quantity
    unit_price: Amount


def subtotal_of(*, lines: Iterable[Line]) -> int:
    """Return what these goods cost, in minor units of their one currency."""
    return sum(line.quantity * line.unit_price for line in lines)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a parcel goes."""

    name: str
    line1: str
    line2: str = ""
    city: str
    postal_code: str
    country: Country


class Charges(msgspec.Struct, frozen=True, kw_only=True):
    """What an order costs beside its goods, and the tax within: goods - discount + shipping = total.

    `tax` is part of the total; `tax_rate` is in basis points (700 is 7 %).
    """

    shipping_method: str = "standard"
    shipping: Amount = 0
    coupon: str = ""
    discount: Amount = 0
    tax_rate: Annotated[int, Meta(ge=0, description="Basis points: 700 is 7 %.")] = 0
    tax: Amount = 0


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """A product of which fewer pieces are left than were wanted."""

    sku: Sku
    requested: Quantity
    available: Annotated[int, Meta(ge=0)]


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """All that is ever kept of a card."""

    brand: str
    last4: LastFour
