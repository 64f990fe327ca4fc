"""Writing down what happens to orders: every change is one timeline entry and one event of the same number."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils import timezone

from events import Cause, Event, Outgoing, Received, publish_all
from events.orders import OrderAdvanced
from orders.models import Order, RefusedTransition, TimelineEntry

_CHANGING = [
    *(
        "status",
        "reason",
        "short_skus",
        "sequence",
        "payment_method",
        "card_brand",
        "card_last4",
        "action_url",
    ),
    *("decline_code", "paid_amount", "refunded_amount", "carrier", "tracking_number"),
    *("estimated_delivery_on", "hold_expires_at", "updated_at"),
]


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
    cause: Cause | None = None


def lock_orders(*, ids: Sequence[UUID]) -> dict[UUID, Order]:
    """Lock these orders' rows, always in the same order, and return them by id."""
    orders = Order.objects.select_for_update().filter(id__in=ids).order_by("id")
    return {order.id: order for order in orders.prefetch_related("lines")}


def write_down(*, changes: Sequence[Change]) -> None:
    """In the transaction that holds the orders' locks: save them, with an entry and an event for each change."""
    now = timezone.now()
    entries = [_entry(change=change, at=now) for change in changes]
    _save(orders=[change.order for change in changes])
    TimelineEntry.objects.bulk_create(entries)
    publish_all([_outgoing(change=change) for change in changes])


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
    # An upsert of rows that are there: bulk_update's CASE for each row and column grows with their product.
    Order.objects.bulk_create(orders, update_conflicts=True, unique_fields=["id"], update_fields=_CHANGING)


def _entry(*, change: Change, at: datetime) -> TimelineEntry:
    order = change.order
    order.sequence += 1
    order.updated_at = at
    return TimelineEntry(
        order=order, sequence=order.sequence, type=change.step.type, text=change.step.text, at=at
    )


def _outgoing(*, change: Change) -> Outgoing:
    order, step = change.order, change.step
    told = step.event or OrderAdvanced(
        order_id=order.id, number=order.number, step=step.type, status=order.status
    )
    return Outgoing(
        event=told, aggregate_type="order", aggregate_id=order.id, version=order.sequence, cause=change.cause
    )
