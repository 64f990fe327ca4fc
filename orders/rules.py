"""What an order allows at this moment."""

from django.utils import timezone

from orders.models import Order

_CANCELLABLE = {
    *(Order.Status.PLACED, Order.Status.RESERVED, Order.Status.ACTION_REQUIRED),
    *(Order.Status.PAYMENT_DECLINED, Order.Status.CONFIRMED),
}
_REFUNDABLE = {Order.Status.CONFIRMED, Order.Status.SHIPPED, Order.Status.COMPLETED}
_ENDED = {Order.Status.COMPLETED, Order.Status.REJECTED, Order.Status.CANCELLED}


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


def is_final(*, order: Order) -> bool:
    """Say whether nothing will happen to the order any more: it has ended, and no money is on its way back."""
    settled = order.status == Order.Status.COMPLETED or order.refunded_amount == order.paid_amount
    return order.status in _ENDED and settled
