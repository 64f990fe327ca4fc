"""Orders for the benches: their requests, and how to tell that all of them are through."""

import itertools
import time
from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import connection

from bench.clients import post

_HOME = {
    "name": "Bench",
    "line1": "1 Example Street",
    "city": "Exampleton",
    "postal_code": "12345",
    "country": "DE",
}
_GIVE_UP_SECONDS = 600.0


def sell(*, skus: int, pieces: int) -> list[str]:
    """Put so many products of the catalogue on the shelf, with so many pieces each, and return their SKUs."""
    from django.core.management import call_command

    from inventory.services import adjust_stock

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_product WHERE is_active")
        [known] = cursor.fetchone()
        if known < skus + 10:
            call_command("load_products", generate=skus, verbosity=0)
        cursor.execute(
            "SELECT sku FROM shop_product JOIN inventory_stockitem USING (sku)"
            " WHERE is_active ORDER BY sku DESC LIMIT %s",
            [skus],
        )
        chosen = [sku for (sku,) in cursor.fetchall()]
    for sku in chosen:
        adjust_stock(sku=sku, quantity=pieces, note="bench", by="bench")
    return chosen


def requests(*, orders: int, skus: Sequence[str], lines: int = 2) -> list[bytes]:
    """Return requests for so many orders of one piece of `lines` products each, taken in turn."""
    turn = itertools.cycle(skus)
    return [post("/api/v1/orders/", _body(skus=[next(turn) for _ in range(lines)])) for _ in range(orders)]


def count(*, since: datetime) -> dict[str, int]:
    """Return how many orders placed since then stand where, by status."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, count(*) FROM orders_order WHERE placed_at >= %s GROUP BY status", [since]
        )
        return dict(cursor.fetchall())


def wait_for_the_end(*, orders: int, since: datetime) -> None:
    """Return when so many orders placed since then have ended; looks rarely, since looking costs too."""
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while _ended(since=since) < orders:
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not all of {orders} orders ended within {_GIVE_UP_SECONDS:.0f} s.")
        time.sleep(0.25)


def _ended(*, since: datetime) -> int:
    stands = count(since=since)
    return sum(stands.get(status, 0) for status in ("completed", "rejected", "cancelled"))


def _body(*, skus: Sequence[str]) -> bytes:
    return msgspec.json.encode(
        {
            "email": "bench@example.org",
            "ship_to": _HOME,
            "payment_method": "pm_card_visa",
            "lines": [{"sku": sku, "quantity": 1} for sku in skus],
        }
    )
