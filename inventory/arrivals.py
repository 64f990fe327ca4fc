"""Telling that a product is for sale again of which nothing was left."""

from collections.abc import Mapping

from uuid_utils.compat import uuid7

from events import Cause, Outgoing, publish_all
from events.stock import StockArrived


def tell_arrivals(
    *, shelf: Mapping[str, int], arrived: Mapping[str, int], cause: Cause | None = None
) -> None:
    """In the transaction that locks these products: publish those whose first pieces `arrived` on an empty `shelf`."""
    publish_all(
        [
            Outgoing(
                event=StockArrived(sku=sku, available=pieces),
                aggregate_type="stock_arrival",
                aggregate_id=uuid7(),
                version=1,
                cause=cause,
            )
            for sku, pieces in arrived.items()
            if pieces > 0 and shelf.get(sku) == 0
        ]
    )
