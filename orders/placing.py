"""Writing a new order: order, lines, first timeline entry and event in one statement, once for an idempotency key.

This is the path that every buyer waits on, so it costs one round trip where one `INSERT` for each table and two
looks at the key would cost six.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import msgspec
from django.db import connection
from psycopg.types.json import Jsonb

from events import Event, Outgoing
from events.declaration import declaration_of
from events.outbox import published, publishing_clause, publishing_parameters
from events.values import Address, Line
from orders.models import Order, TimelineEntry

# Letters and digits that nobody mistakes for one another.
_NUMBER_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

# Of several requests with one key, one gets the lock, and holds it until its commit. Who sees neither an earlier
# order nor a lock of somebody else may write. The unique constraints have the last word: an order that was
# committed after this statement's snapshot, but before its lock, is a conflict, and nothing is written.
_PLACE = """
    WITH turn AS MATERIALIZED (
        SELECT %(lock)s::bigint IS NULL OR pg_try_advisory_xact_lock(%(lock)s) AS is_ours
    ), earlier AS (
        SELECT id FROM orders_order WHERE idempotency_key = %(idempotency_key)s
    ), placed AS (
        INSERT INTO orders_order ({columns})
        SELECT {values} FROM turn WHERE is_ours AND NOT EXISTS (SELECT FROM earlier)
        ON CONFLICT DO NOTHING
        RETURNING id
    ), lines AS (
        INSERT INTO orders_orderline (order_id, position, sku, title, quantity, unit_price)
        SELECT placed.id, line.position, line.sku, line.title, line.quantity, line.unit_price
        FROM placed, ROWS FROM (
            json_to_recordset(%(lines)s::json) AS (sku text, title text, quantity int, unit_price bigint)
        ) WITH ORDINALITY AS line (sku, title, quantity, unit_price, position)
    ), entry AS (
        INSERT INTO orders_timelineentry (order_id, sequence, type, text, at, event_type)
        SELECT id, %(sequence)s, %(entry_type)s, %(entry_text)s, %(entry_at)s, %(event_type)s FROM placed
    ), told AS (
        {publish}
    )
    SELECT is_ours, EXISTS (SELECT FROM placed) FROM turn
"""
# What is known of an order when it is placed.
_KNOWN = (
    *(
        "id",
        "number",
        "token",
        "status",
        "sequence",
        "email",
        "ship_to",
        "total",
        "currency",
        "payment_method",
    ),
    *("subtotal", "discount", "coupon", "shipping", "shipping_method", "tax_rate", "tax"),
    *("placed_at", "updated_at", "idempotency_key", "idempotency_fingerprint", "buyer_id"),
)


class IdempotencyInFlight(RuntimeError):
    """An order with this idempotency key is being placed at this moment; ask again in a second."""


def insert_order(
    *, order: Order, lines: Sequence[Line], entry: TimelineEntry, tell: Callable[[], Event]
) -> Order:
    """Write the order and its event and return it, or return the order that its idempotency key stands for already.

    An order whose number is taken gets another, and `tell` is asked again for the event. Raises
    `IdempotencyInFlight`.
    """
    while True:
        is_ours, is_placed = _execute(order=order, lines=lines, entry=entry, event=tell())
        if is_placed:
            published()
            return order
        if earlier := find_by_key(key=order.idempotency_key):
            return earlier
        if not is_ours:
            raise IdempotencyInFlight(
                "An order with this Idempotency-Key is being placed. Try again in a second."
            )
        order.number = new_number()


def find_by_key(*, key: str | None) -> Order | None:
    """Return the order that was placed with this idempotency key, if any."""
    return Order.objects.filter(idempotency_key=key).first() if key else None


def fingerprint(
    *,
    wanted: Sequence[tuple[str, int]],
    email: str,
    ship_to: Address,
    payment_method: str,
    shipping_method: str,
    coupon: str,
) -> str:
    """Return what tells one request from another: the buyer's words, `wanted` as SKU and quantity.

    Prices are the shop's words: the same request a minute later is the same request.
    """
    words = [sorted(wanted), email, ship_to, payment_method, shipping_method, coupon]
    return hashlib.sha256(msgspec.json.encode(words)).hexdigest()


def new_number() -> str:
    """Return a number for people, such as `WB-7K3M-9QXD`."""
    letters = "".join(secrets.choice(_NUMBER_LETTERS) for _ in range(8))
    return f"WB-{letters[:4]}-{letters[4:]}"


def _execute(*, order: Order, lines: Sequence[Line], entry: TimelineEntry, event: Event) -> tuple[bool, bool]:
    outgoing = Outgoing(event=event, aggregate_type="order", aggregate_id=order.id, version=order.sequence)
    parameters = {
        **publishing_parameters(outgoing=outgoing),
        **_column_values(order=order),
        "lock": _lock_number(key=order.idempotency_key),
        "lines": msgspec.json.encode(lines).decode(),  # arrays cost psycopg four times as much
        "sequence": entry.sequence,
        "entry_type": entry.type,
        "entry_text": entry.text,
        "entry_at": entry.at,
        "event_type": declaration_of(type(event)).name,
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(), parameters)
        is_ours, is_placed = cursor.fetchone()
    return is_ours, is_placed


@cache
def _statement() -> str:
    fields = Order._meta.concrete_fields
    return _PLACE.format(
        columns=", ".join(field.attname for field in fields),
        values=", ".join(_value_of(field=field) for field in fields),
        publish=publishing_clause(source="placed"),
    )


def _value_of(*, field: Any) -> str:
    # What a new order does not have yet stands in the statement: half of its columns need not travel each time.
    if field.attname in _KNOWN:
        return f"%({field.attname})s"
    match field.get_default():
        case None:
            return "NULL"
        case []:
            return "'[]'"
        case "":
            return "''"
        case number:
            return str(int(number))


def _column_values(*, order: Order) -> dict[str, Any]:
    return {**{name: getattr(order, name) for name in _KNOWN}, "ship_to": Jsonb(order.ship_to)}


def _lock_number(*, key: str | None) -> int | None:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True) if key else None
