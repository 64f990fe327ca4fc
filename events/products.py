"""Topic `products`: what becomes of what the shop sells. A record's key is the product's SKU."""

from events.declaration import Fact, event
from events.values import Amount, Currency, Sku


class ProductFact(Fact, frozen=True, kw_only=True):
    """A fact about one product."""

    sku: Sku

    @property
    def key(self) -> str:
        """The product's SKU."""
        return self.sku


@event(topic="products")
class PriceChanged(ProductFact, frozen=True, kw_only=True):
    """A product costs more or less than before."""

    before: Amount
    now: Amount
    currency: Currency
