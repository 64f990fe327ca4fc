"""What an order costs as the shop grows: more workers, more stored orders, more brokers."""

from django.db import connection

from bench.apart import run_apart
from bench.figures import Figures
from bench.orders import sell
from bench.pipeline import open_everything, through
from bench.shop import running_shop

_COPIES = (1, 2, 4)
_STORED = (1_000, 10_000, 100_000, 1_000_000)
_WARM_UP = 300

# Old orders with their lines, entries and what the consumers remember of them, as an ordinary year leaves them.
_ORDERS = """
    INSERT INTO orders_order (id, number, token, status, reason, sequence, short_skus, email, ship_to, subtotal, total,
        currency, payment_method, card_brand, card_last4, action_url, decline_code, paid_amount, refunded_amount,
        carrier, tracking_number, placed_at, updated_at, idempotency_fingerprint)
    SELECT gen_random_uuid(), 'OLD' || number, 'old' || number, 'completed', '', 5, '[]', 'old@example.org', '{}',
        2000, 2000, 'EUR', 'pm_card_visa', 'visa', '4242', '', '', 2000, 0, '', '', now() - interval '30 days',
        now() - interval '30 days', ''
    FROM generate_series(%s + 1, %s) AS number
"""
_LINES = """
    INSERT INTO orders_orderline (order_id, position, sku, title, quantity, unit_price)
    SELECT id, position, 'OLD', 'Old', 1, 1000 FROM orders_order, generate_series(1, 2) AS position
    WHERE number LIKE 'OLD%%'
        AND NOT EXISTS (SELECT FROM orders_orderline AS line WHERE line.order_id = orders_order.id)
"""
_ENTRIES = """
    INSERT INTO orders_timelineentry (order_id, sequence, type, text, at)
    SELECT id, step, 'old', 'Old', placed_at FROM orders_order, generate_series(1, 5) AS step
    WHERE number LIKE 'OLD%%'
        AND NOT EXISTS (SELECT FROM orders_timelineentry AS entry WHERE entry.order_id = orders_order.id)
"""


def run(*, orders: int = 2_000, kind: str = "") -> Figures:
    """Send `orders` orders through shops of several sizes; with `kind` "stored", only through one that fills up."""
    if kind == "stored":
        return _with_stored_orders(orders=orders)
    return {
        "orders": orders,
        "workers": {f"copies_{copies}": _pipeline(copies=copies, orders=orders) for copies in _COPIES},
        "stored_orders": run_apart(name="growth", orders=orders, kind="stored"),
        "brokers": {f"brokers_{brokers}": _pipeline(brokers=brokers, orders=orders) for brokers in (1, 3)},
    }


def _pipeline(**options: int) -> Figures:
    return _short(run_apart(name="pipeline", **options))


def _with_stored_orders(*, orders: int) -> dict[str, Figures]:
    found, stored = {}, 0
    with running_shop() as shop:
        skus = sell(skus=100, pieces=orders * 10)
        door = open_everything(shop=shop)
        through(shop=shop, door=door, skus=skus, orders=_WARM_UP)
        for wanted in _STORED:
            _store(known=stored, wanted=wanted)
            stored = wanted
            found[f"stored_{wanted}"] = _short(through(shop=shop, door=door, skus=skus, orders=orders))
    return found


def _short(figures: Figures) -> Figures:
    kept = ("accepted_per_second", "completed_per_second", "cpu_seconds_per_1000_orders", "ended")
    return {name: figures[name] for name in kept}


def _store(*, known: int, wanted: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, [known, wanted])
        cursor.execute(_LINES)
        cursor.execute(_ENTRIES)
        cursor.execute("ANALYZE")
