"""Topic `wishlists`: what buyers hear of products they wait for. A record's key is the product's SKU."""

from typing import Literal

from events.declaration import event
from events.products import ProductFact
from events.values import Amount, Currency

Reason = Literal["price_dropped", "back_in_stock"]


@event(topic="wishlists")
class WishCameTrue(ProductFact, frozen=True, kw_only=True):
    """A product that an account has on its wish list got cheaper, or is back; its owner is to hear of it once."""

    account_id: int
    reason: Reason
    price: Amount
    currency: Currency
