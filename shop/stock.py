"""What a buyer is told of the stock: how many pieces exactly is inventory's to know."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from inventory.selectors import stock_levels

LOW = 5

StockState = Literal["in_stock", "low", "sold_out"]


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a product, and the word for it."""

    state: StockState
    available: int


def read_stock(*, skus: Iterable[str]) -> dict[str, Stock]:
    """Return the stock of every SKU; one that inventory never heard of is sold out. One query."""
    wanted = list(skus)
    levels = stock_levels(skus=wanted)
    return {sku: _describe(available=levels.get(sku, 0)) for sku in wanted}


def _describe(*, available: int) -> Stock:
    if available <= 0:
        return Stock(state="sold_out", available=0)
    return Stock(state="low" if available <= LOW else "in_stock", available=available)
