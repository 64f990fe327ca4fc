"""N orders through Kafka and every worker, until all are completed."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from bench.processes import cpu_seconds, difference, state_folder
from events.values import Address, Line
from inventory.services import adjust_stock, open_stock
from orders.services import PlacedOrder, place_order

_SKU = "BENCH-PIPELINE"
_HOME = Address(name="Bench", line1="1 Example Street", city="Exampleton", postal_code="12345", country="DE")
_CLIENTS = 4
_GIVE_UP_SECONDS = 300.0


def run(*, orders: int = 2_000) -> dict[str, Any]:
    """Place `orders` orders of two lines as fast as four clients can, and wait for the last to be completed."""
    _fill_the_shelves(pieces=orders * 2)
    state = state_folder()
    before, started = cpu_seconds(state=state), time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        placed = [one for batch in pool.map(_place, _shares(orders=orders)) for one in batch]
    accepted = time.monotonic() - started
    _wait_for_all(placed=placed)
    seconds = time.monotonic() - started
    used = difference(before=before, after=cpu_seconds(state=state))
    return {
        "orders": orders,
        "accepted_per_second": round(orders / accepted, 1),
        "completed_per_second": round(orders / seconds, 1),
        "cpu_seconds_per_1000_orders": round(sum(used.values()) / orders * 1000, 2),
        "by_process": {name: round(value / orders * 1000, 2) for name, value in used.items()},
    }


def _fill_the_shelves(*, pieces: int) -> None:
    open_stock(quantities={f"{_SKU}-{number}": 0 for number in range(2)})
    for number in range(2):
        adjust_stock(sku=f"{_SKU}-{number}", quantity=pieces, note="bench", by="bench")


def _shares(*, orders: int) -> Iterator[int]:
    for client in range(_CLIENTS):
        yield orders // _CLIENTS + (client < orders % _CLIENTS)


def _place(count: int) -> list[PlacedOrder]:
    lines = [Line(sku=f"{_SKU}-{number}", title="Bench", quantity=1, unit_price=1000) for number in range(2)]
    try:
        return [
            place_order(
                lines=lines,
                email="bench@example.org",
                ship_to=_HOME,
                payment_method="pm_card_visa",
                currency="EUR",
            )
            for _ in range(count)
        ]
    finally:
        connection.close()


def _wait_for_all(*, placed: Sequence[PlacedOrder]) -> None:
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    ids = [one.order_id for one in placed]
    while (missing := _missing(ids=ids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if missing:
        raise TimeoutError(f"{missing} orders were not completed within {_GIVE_UP_SECONDS:.0f} s.")


def _missing(*, ids: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM orders_order WHERE id = ANY(%s) AND status <> 'completed'", [list(ids)]
        )
        [count] = cursor.fetchone()
        return int(count)
