"""What others and staff ask of the stock."""

from collections import Counter
from collections.abc import Mapping

from django.db import connection, transaction
from django.utils import timezone

from events import Received
from events.orders import ReturnReceived
from inventory.arrivals import tell_arrivals
from inventory.models import StockAdjustment, StockItem

_OPEN = """
    WITH opened AS (
        INSERT INTO inventory_stockitem (sku, available)
        SELECT * FROM unnest(%s::text[], %s::int[])
        ON CONFLICT (sku) DO NOTHING
        RETURNING sku, available
    )
    INSERT INTO inventory_stockadjustment (sku, quantity, note, adjusted_by, adjusted_at)
    SELECT sku, available, 'opening stock', %s, now() FROM opened WHERE available > 0
"""


class UnknownSku(LookupError):
    """There is no stock item with this SKU; open it first (`open_stock`)."""


class NotEnoughStock(ValueError):
    """More pieces are to go out than are for sale; take out fewer."""


def open_stock(*, quantities: Mapping[str, int], by: str = "") -> None:
    """Create the stock items that are not there yet, with so many pieces; leave the others alone.

    One statement, whatever the number of SKUs. Raises `IntegrityError` for a quantity below zero.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [list(quantities), list(quantities.values()), by])


@transaction.atomic
def adjust_stock(*, sku: str, quantity: int, note: str, by: str) -> None:
    """Put pieces of a product in (`quantity` > 0) or take them out (< 0), and write down who and why.

    Raises `UnknownSku`, `NotEnoughStock`, or `IntegrityError` for a quantity of zero.
    """
    item = _lock_item(sku=sku)
    if item.available + quantity < 0:
        raise NotEnoughStock(
            f"Only {item.available} of {sku} are for sale: {-quantity} cannot be taken out. Take out fewer."
        )
    tell_arrivals(shelf={sku: item.available}, arrived={sku: quantity})
    item.available += quantity
    item.save(update_fields=["available"])
    StockAdjustment.objects.create(
        stock_item=item, quantity=quantity, note=note, adjusted_by=by, adjusted_at=timezone.now()
    )


def take_back(*, event: Received[ReturnReceived]) -> None:
    """Put the pieces of a return on the shelf again, with an adjustment that names it.

    They were sold, not held, so their reservation stays as it is. A product without stock item is an `UnknownSku`.
    """
    back = Counter({line.sku: 0 for line in event.data.lines})
    for line in event.data.lines:
        back[line.sku] += line.quantity
    for sku, quantity in sorted(back.items()):
        adjust_stock(
            sku=sku, quantity=quantity, note=f"Returned from order {event.data.number}.", by="returns"
        )


def _lock_item(*, sku: str) -> StockItem:
    try:
        return StockItem.objects.select_for_update(no_key=True).get(sku=sku)
    except StockItem.DoesNotExist:
        raise UnknownSku(f"There is no stock of {sku!r} yet: open it first.") from None
