"""Stock rows, locked together and saved together."""

from collections import Counter
from collections.abc import Collection, Iterable

from django.db import connection

from events.values import Line, Shortage
from inventory.models import StockItem

_MOVE = """
    UPDATE inventory_stockitem AS item
    SET available = item.available + moved.quantity
    FROM unnest(%s::text[], %s::int[]) AS moved (sku, quantity)
    WHERE item.sku = moved.sku
"""


class Shelf:
    """The products that a batch is about; nobody else moves a piece of them until the transaction ends.

    The rows are locked by one statement and in the order of their SKUs: a product that everybody wants costs one
    lock a batch, and two batches do not wait for each other in a circle.
    """

    def __init__(self, *, skus: Collection[str]) -> None:
        rows = StockItem.objects.select_for_update(no_key=True).filter(sku__in=skus).order_by("sku")
        self._available = dict(rows.values_list("sku", "available"))
        self._moved: Counter[str] = Counter()

    def take(self, lines: Iterable[Line]) -> tuple[Shortage, ...]:
        """Take every piece of these lines, or none: then return what is short."""
        wanted = _count_pieces(lines=lines)
        shortages = tuple(
            Shortage(sku=sku, requested=quantity, available=self._available.get(sku, 0))
            for sku, quantity in wanted.items()
            if quantity > self._available.get(sku, 0)
        )
        if not shortages:
            self._move({sku: -quantity for sku, quantity in wanted.items()})
        return shortages

    def put_back(self, lines: Iterable[Line]) -> None:
        """Put every piece of these lines up for sale again."""
        self._move(_count_pieces(lines=lines))

    def save(self) -> None:
        """Write what was taken and put back."""
        if not self._moved:
            return
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [list(self._moved), list(self._moved.values())])

    def _move(self, pieces: dict[str, int]) -> None:
        for sku, quantity in pieces.items():
            self._available[sku] += quantity
            self._moved[sku] += quantity


def _count_pieces(*, lines: Iterable[Line]) -> dict[str, int]:
    pieces: Counter[str] = Counter()
    for line in lines:
        pieces[line.sku] += line.quantity
    return dict(pieces)
