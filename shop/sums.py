"""What an order costs: goods, coupon, delivery, and the tax within."""

import msgspec

from events.values import Charges
from shop.shipping import Method, shipping_price
from shop.taxes import included_tax, tax_rate


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """The sums below a list of goods, in minor units; `charges` is None while the country is not known.

    `refusal` says why the coupon that was entered takes nothing off.
    """

    count: int
    subtotal: int
    charges: Charges | None
    currency: str
    refusal: str = ""

    @property
    def total(self) -> int:
        """What is to be paid."""
        known = self.charges or Charges()
        return self.subtotal - known.discount + known.shipping


def reckon(*, subtotal: int, country: str, method: Method, coupon: str = "", discount: int = 0) -> Charges:
    """Return what goods worth `subtotal` cost beside their price when they go to this country.

    `discount` is what the coupon takes off. Raises `KeyError` for a country that we do not deliver to.
    """
    shipping = shipping_price(method=method, country=country, subtotal=subtotal)
    rate = tax_rate(country=country)
    return Charges(
        shipping_method=method,
        shipping=shipping,
        coupon=coupon,
        discount=discount,
        tax_rate=rate,
        tax=included_tax(gross=subtotal - discount + shipping, rate=rate),
    )
