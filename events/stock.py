"""Topic `stock`: what is on the shelf, whoever takes it. A record's key is the product's SKU."""

from typing import Annotated

from msgspec import Meta

from events.declaration import event
from events.products import ProductFact


@event(topic="stock")
class StockArrived(ProductFact, frozen=True, kw_only=True):
    """A product of which nothing was left is for sale again."""

    available: Annotated[int, Meta(gt=0)]
