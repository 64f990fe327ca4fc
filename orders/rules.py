"""What an order allows at this moment."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from orders.models import Order, Return

RETURN_WITHIN = timedelta(days=30)

_CANCELLABLE = {
    *(Order.Status.PLACED, Order.Status.RESERVED, Order.Status.ACTION_REQUIRED),
    *(Order.Status.PAYMENT_DECLINED, Order.Status.CONFIRMED),
}
_REFUNDABLE = {Order.Status.CONFIRMED, Order.Status.SHIPPED, Order.Status.COMPLETED}
# How long a step takes when all is well, for the steps that wait for the shop and not for the buyer.
_USUAL = {
    Order.Status.PLACED: timedelta(),
    Order.Status.RESERVED: timedelta(),
    Order.Status.CONFIRMED: timedelta(seconds=settings.PACK_SECONDS + settings.DISPATCH_SECONDS),
    Order.Status.SHIPPED: timedelta(seconds=settings.TRANSIT_SECONDS),
}
_PATIENCE = timedelta(minutes=2)
_ENDED = {Order.Status.COMPLETED, Order.Status.REJECTED, Order.Status.CANCELLED}
_UNDER_WAY = (Return.Status.REQUESTED, Return.Status.APPROVED)
_RETURNING = (*_UNDER_WAY, Return.Status.RECEIVED)


def can_cancel(*, order: Order) -> bool:
    """Say whether the order may still be cancelled: until the parcel has left."""
    return order.status in _CANCELLABLE


def can_pay(*, order: Order) -> bool:
    """Say whether another card is welcome: after a decline, while the hold lasts."""
    held = order.hold_expires_at is not None and order.hold_expires_at > timezone.now()
    return order.status == Order.Status.PAYMENT_DECLINED and held


def can_refund(*, order: Order) -> bool:
    """Say whether there is captured money that nobody has asked back yet."""
    asked = any(entry.type == "refund_requested" for entry in order.timeline.all())
    return order.status in _REFUNDABLE and order.refunded_amount < order.paid_amount and not asked


def can_return(*, order: Order) -> bool:
    """Say whether books may be sent back: for thirty days after they arrived, while any were not."""
    return bool(pieces_to_return(order=order))


def pieces_to_return(*, order: Order) -> dict[int, int]:
    """Return how many pieces of each line, by its position, may still be sent back; empty when none may."""
    if order.status != Order.Status.COMPLETED or not _arrived_lately(order=order):
        return {}
    left = {line.position: line.quantity - line.returned_quantity for line in order.lines.all()}
    return {position: pieces for position, pieces in left.items() if pieces}


def _arrived_lately(*, order: Order) -> bool:
    since = timezone.now() - RETURN_WITHIN
    return any(entry.type == "completed" and entry.at > since for entry in order.timeline.all())


def has_ended(*, order: Order) -> bool:
    """Say whether the order has come to its end, for better or worse."""
    return order.status in _ENDED


def is_final(*, order: Order, returning: str) -> bool:
    """Say whether nothing will happen to the order any more: it has ended, and no money or book is on its way back.

    `returning` is what `returning()` says of it.
    """
    settled = order.status == Order.Status.COMPLETED or order.refunded_amount == order.paid_amount
    return has_ended(order=order) and settled and returning not in _UNDER_WAY


def is_late(*, order: Order) -> bool:
    """Say whether the next step is the shop's and more than two minutes later than usual."""
    due_at = late_before().get(order.status)
    return due_at is not None and order.updated_at < due_at


def late_before() -> dict[str, datetime]:
    """Return, by status, when an order must have come to it to be late now; a buyer's own steps are never late."""
    now = timezone.now()
    return {status: now - _PATIENCE - usual for status, usual in _USUAL.items()}


def returning(*, order: Order) -> str:
    """Return how far the return that has come least far is, empty where none was asked for or all were refused."""
    if order.status != Order.Status.COMPLETED:
        return ""
    found = {asked.status for asked in order.returns.all()}
    return next((status for status in _RETURNING if status in found), "")
