"""Writing down what happens to orders: every change is one timeline entry and one event of the same number."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from events import Event, Outgoing, Received, publish_all
from events.declaration import declaration_of
from events.orders import OrderAdvanced
from events.values import Line
from orders.models import Order, OrderLine, RefusedTransition, TimelineEntry
from orders.selectors import OrderNotFound

# What a step may change of an order, and the type its column has.
_CHANGING = {
    "status": "text",
    "reason": "text",
    "short_skus": "jsonb",
    "sequence": "integer",
    "payment_method": "text",
    "card_brand": "text",
    "card_last4": "text",
    "action_url": "text",
    "decline_code": "text",
    "paid_amount": "bigint",
    "refunded_amount": "bigint",
    "carrier": "text",
    "tracking_number": "text",
    "estimated_delivery_on": "date",
    "hold_expires_at": "timestamptz",
    "updated_at": "timestamptz",
}
# By hand: what the ORM writes for many rows and columns was a fifth of all that the worker did.
_SAVE = f"""
    UPDATE orders_order AS known
    SET {", ".join(f"{name} = changed.{name}" for name in _CHANGING)}
    FROM unnest(%s::uuid[], {", ".join(f"%s::{kind}[]" for kind in _CHANGING.values())})
        AS changed (id, {", ".join(_CHANGING)})
    WHERE known.id = changed.id
"""  # noqa: S608  (constants)

_APPEND = """
    INSERT INTO orders_timelineentry (order_id, sequence, type, text, at, event_type, cause_type, cause_at)
    SELECT * FROM unnest(
        %s::uuid[], %s::int[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::timestamptz[]
    )
"""
_entry_values = attrgetter(
    *("order_id", "sequence", "type", "text", "at", "event_type", "cause_type", "cause_at")
)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one change of an order is called on its timeline, and the event that tells others of it.

    `event` is None where no event of its own exists; then `OrderAdvanced` tells it.
    """

    type: str
    text: str
    event: Event | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A step of one order, and the event that led to it."""

    order: Order
    step: Step
    heard: Received[Any] | None = None


def lock_orders(*, ids: Sequence[UUID], with_lines_of: Sequence[UUID] = ()) -> dict[UUID, Order]:
    """Lock these orders' rows, always in the same order, and return them by id.

    The lines of the orders in `with_lines_of` are read with one query instead of one for each order.
    """
    rows = Order.objects.select_for_update().filter(id__in=ids).order_by("id")
    orders = {order.id: order for order in rows}
    lines: dict[UUID, list[Line]] = {order_id: [] for order_id in with_lines_of if order_id in orders}
    for line in OrderLine.objects.filter(order_id__in=lines).order_by("order_id", "position"):
        lines[line.order_id].append(line.told)
    for order_id, told in lines.items():
        orders[order_id].told_lines = tuple(told)
    return orders


@contextmanager
def locked_order(*, token: str) -> Iterator[Order]:
    """Open a transaction that holds the lock of the order with this token; raises `OrderNotFound`."""
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(token=token).first()
        if order is None:
            raise OrderNotFound("There is no such order.")
        yield order


def write_down(*, changes: Sequence[Change]) -> None:
    """In the transaction that holds the orders' locks: save them, with an entry and an event for each change."""
    now = timezone.now()
    told = [(change, _told(change=change)) for change in changes]
    entries = [_entry(change=change, told=event, at=now) for change, event in told]
    _save(orders=[change.order for change in changes])
    _append(entries=entries)
    publish_all([_outgoing(change=change, told=event) for change, event in told])


def refuse(*, refused: Sequence[tuple[Order, Received[Event]]]) -> None:
    """Record events that came when their order could not follow them any more."""
    now = timezone.now()
    RefusedTransition.objects.bulk_create(
        [
            RefusedTransition(
                order=order, event_id=event.id, event_type=event.type, status=order.status, at=now
            )
            for order, event in refused
        ],
        ignore_conflicts=True,
    )


def _save(*, orders: Sequence[Order]) -> None:
    if not orders:
        return
    rows = [
        (order.id, *(_column(value=getattr(order, name), kind=kind) for name, kind in _CHANGING.items()))
        for order in orders
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, [list(column) for column in zip(*rows, strict=True)])


def _append(*, entries: Sequence[TimelineEntry]) -> None:
    rows = [_entry_values(entry) for entry in entries]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_APPEND, [list(column) for column in zip(*rows, strict=True)])


def _column(*, value: Any, kind: str) -> Any:
    return Jsonb(value) if kind == "jsonb" else value


def _told(*, change: Change) -> Event:
    order, step = change.order, change.step
    return step.event or OrderAdvanced(
        order_id=order.id, number=order.number, step=step.type, status=order.status
    )


def _entry(*, change: Change, told: Event, at: datetime) -> TimelineEntry:
    order = change.order
    order.sequence += 1
    order.updated_at = at
    return TimelineEntry(
        order=order,
        sequence=order.sequence,
        type=change.step.type,
        text=change.step.text,
        at=at,
        event_type=declaration_of(type(told)).name,
        cause_type=change.heard.type if change.heard else "",
        cause_at=change.heard.at if change.heard else None,
    )


def _outgoing(*, change: Change, told: Event) -> Outgoing:
    order = change.order
    return Outgoing(
        event=told,
        aggregate_type="order",
        aggregate_id=order.id,
        version=order.sequence,
        cause=change.heard.cause if change.heard else None,
    )
