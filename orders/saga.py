"""The way of an order, from top to bottom.

    placed ─ stock reserved ─▶ reserved ─ payment captured ─▶ confirmed ─ dispatched ─▶ shipped ─ delivered ─▶ completed
      └ stock rejected ▶ rejected │
                                  ├ action required  ▶ action_required: the buyer's bank asks the buyer
                                  ├ payment declined ▶ payment_declined: another card is welcome while the hold lasts
                                  └ hold expired     ▶ rejected, the stock is released

    A buyer or staff may cancel until the parcel has left (`orders.services.cancel_order`). What has arrived may come
    back in whole or in part (`orders.returns`); the order stays completed.
    Money that arrives for an order that has ended goes back.

Each step below is a function of an order and the event it heard. It changes the order and returns the step, or
returns None when the order cannot follow: then the event is recorded as refused, and nothing changes.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from events import Received
from events.inventory import StockRejected, StockReserved
from events.money import format_money
from events.orders import (
    OrderCompleted,
    OrderConfirmed,
    OrderRejected,
    PaymentRequested,
    RefundRequested,
    RejectionReason,
)
from events.payments import PaymentActionRequired, PaymentCaptured, PaymentDeclined, PaymentRefunded
from events.shipments import ShipmentDelivered, ShipmentDispatched
from orders import words
from orders.facts import address_of
from orders.journal import Change, Step, lock_orders, refuse, write_down
from orders.models import Order, TimelineEntry
from workers import Worker

logger = logging.getLogger(__name__)

Status = Order.Status
Transition = Callable[[Order, Any], Step | None]

worker = Worker("orders", dead_letter="hold")

AWAITING_PAYMENT = {Status.RESERVED, Status.ACTION_REQUIRED, Status.PAYMENT_DECLINED}
ENDED_UNSOLD = {Status.REJECTED, Status.CANCELLED}
_SWEEP_AT_ONCE = 500
_REFUND_TAKES = timedelta(minutes=10)


# ── Stock ────────────────────────────────────────────────────────────────────────────────────────────────


def stock_reserved(order: Order, event: StockReserved) -> Step | None:
    """placed ▶ reserved: the pieces are held, so the money may be asked for."""
    if order.status != Status.PLACED:
        return None
    order.status = Status.RESERVED
    order.hold_expires_at = event.hold_expires_at
    return Step(type="reserved", text=words.RESERVED, event=request_payment(order=order))


def stock_rejected(order: Order, event: StockRejected) -> Step | None:
    """placed ▶ rejected: at least one product is short."""
    if order.status != Status.PLACED:
        return None
    short = tuple(shortage.sku for shortage in event.shortages)
    order.short_skus = list(short)
    return reject(order=order, reason="out_of_stock", short_skus=short)


# ── Payment ──────────────────────────────────────────────────────────────────────────────────────────────


def payment_action_required(order: Order, event: PaymentActionRequired) -> Step | None:
    """reserved ▶ action_required: the buyer's bank wants a word with the buyer."""
    if order.status != Status.RESERVED:
        return None
    order.status = Status.ACTION_REQUIRED
    order.action_url = event.action_url
    _keep_card(order=order, event=event)
    return Step(type="action_required", text=words.ACTION_REQUIRED)


def payment_declined(order: Order, event: PaymentDeclined) -> Step | None:
    """reserved ▶ payment_declined: the hold goes on, and so may the buyer with another card."""
    if order.status not in AWAITING_PAYMENT:
        return None
    order.status = Status.PAYMENT_DECLINED
    order.action_url = ""
    order.decline_code = event.decline_code
    _keep_card(order=order, event=event)
    return Step(type="payment_declined", text=words.decline_words(code=event.decline_code))


def payment_captured(order: Order, event: PaymentCaptured) -> Step | None:
    """reserved ▶ confirmed: paid, so it is fulfilled. For an order that has ended: the money goes back."""
    if order.status in ENDED_UNSOLD:
        return _refund_late_money(order=order, event=event)
    if order.status not in AWAITING_PAYMENT:
        return None
    order.status = Status.CONFIRMED
    order.action_url = order.decline_code = ""
    order.hold_expires_at = None
    order.paid_amount = event.amount
    _keep_card(order=order, event=event)
    return Step(
        type="confirmed",
        text=words.CONFIRMED % {"amount": format_money(amount=event.amount, currency=event.currency)},
        event=OrderConfirmed(
            order_id=order.id,
            number=order.number,
            lines=order.told_lines,
            total=order.total,
            currency=order.currency,
            ship_to=address_of(order=order),
        ),
    )


def payment_refunded(order: Order, event: PaymentRefunded) -> Step | None:
    """Money went back; the order stays what it is."""
    order.refunded_amount += event.amount
    # What went back was paid, also when staff have discarded the event that said so.
    order.paid_amount = max(order.paid_amount, order.refunded_amount)
    amount = format_money(amount=event.amount, currency=event.currency)
    return Step(type="refunded", text=words.REFUNDED % {"amount": amount})


# ── Parcel ───────────────────────────────────────────────────────────────────────────────────────────────


def shipment_dispatched(order: Order, event: ShipmentDispatched) -> Step | None:
    """confirmed ▶ shipped: the carrier has the parcel."""
    if order.status != Status.CONFIRMED:
        return None
    order.status = Status.SHIPPED
    order.carrier = event.carrier
    order.tracking_number = event.tracking_number
    order.estimated_delivery_on = event.estimated_delivery_on
    return Step(type="shipped", text=words.SHIPPED % {"carrier": event.carrier})


def shipment_delivered(order: Order, _event: ShipmentDelivered) -> Step | None:
    """shipped ▶ completed: delivered, nothing is left to do."""
    if order.status != Status.SHIPPED:
        return None
    order.status = Status.COMPLETED
    return Step(
        type="completed",
        text=words.COMPLETED,
        event=OrderCompleted(
            order_id=order.id,
            number=order.number,
            lines=order.told_lines,
            total=order.total,
            currency=order.currency,
        ),
    )


# ── The hold ─────────────────────────────────────────────────────────────────────────────────────────────


@worker.every(seconds=settings.SWEEP_SECONDS)
def expire_holds() -> bool:
    """reserved, action_required or payment_declined ▶ rejected, once the hold is over; True when more are due."""
    due = Order.objects.select_for_update(skip_locked=True).filter(
        status__in=AWAITING_PAYMENT, hold_expires_at__lte=timezone.now()
    )
    orders = list(due.order_by("id")[:_SWEEP_AT_ONCE])
    write_down(changes=[Change(order=order, step=_expire(order=order)) for order in orders])
    return len(orders) == _SWEEP_AT_ONCE


def _expire(*, order: Order) -> Step:
    declined = order.status == Status.PAYMENT_DECLINED
    return reject(order=order, reason="payment_declined" if declined else "expired")


# ── Money that does not come back ────────────────────────────────────────────────────────────────────────


@worker.every(seconds=60)
def ask_for_overdue_refunds() -> bool:
    """Ask payments once more for a cancelled order's money that is not back in time; True when more are due.

    Payments hears of the cancellation itself; it is asked again in case that event was given up.
    """
    asked = TimelineEntry.objects.filter(order=OuterRef("pk"), type="refund_requested")
    due = Order.objects.select_for_update(skip_locked=True).filter(
        ~Exists(asked),
        status=Status.CANCELLED,
        refunded_amount__lt=F("paid_amount"),
        updated_at__lt=timezone.now() - _REFUND_TAKES,
    )
    orders = list(due.order_by("updated_at")[:_SWEEP_AT_ONCE])
    write_down(changes=[Change(order=order, step=_ask_again(order=order)) for order in orders])
    return len(orders) == _SWEEP_AT_ONCE


def _ask_again(*, order: Order) -> Step:
    told = RefundRequested(
        order_id=order.id, number=order.number, requested_by="system", reason="not back in time"
    )
    return Step(type="refund_requested", text=words.REFUND_REQUESTED, event=told)


# ── Shared by the steps ──────────────────────────────────────────────────────────────────────────────────


def request_payment(*, order: Order) -> PaymentRequested:
    """Return the event that asks for the order's money, with the order's present payment method."""
    return PaymentRequested(
        order_id=order.id,
        number=order.number,
        amount=order.total,
        currency=order.currency,
        payment_method=order.payment_method,
    )


def reject(*, order: Order, reason: RejectionReason, short_skus: tuple[str, ...] = ()) -> Step:
    """End an order without a sale; inventory releases what it holds when it hears of it."""
    order.status = Status.REJECTED
    order.reason = reason
    order.action_url = ""
    order.hold_expires_at = None
    return Step(
        type="rejected",
        text=words.rejection_words(reason=reason),
        event=OrderRejected(order_id=order.id, number=order.number, reason=reason, short_skus=short_skus),
    )


def _refund_late_money(*, order: Order, event: PaymentCaptured) -> Step:
    order.paid_amount += event.amount
    return Step(
        type="refund_requested",
        text=words.PAID_TOO_LATE,
        event=RefundRequested(
            order_id=order.id,
            number=order.number,
            requested_by="system",
            reason="captured after the order had ended",
        ),
    )


def _keep_card(*, order: Order, event: PaymentActionRequired | PaymentCaptured | PaymentDeclined) -> None:
    order.card_brand = event.card.brand
    order.card_last4 = event.card.last4


# ── Which event leads to which step ──────────────────────────────────────────────────────────────────────

TRANSITIONS: dict[type, Transition] = {
    StockReserved: stock_reserved,
    StockRejected: stock_rejected,
    PaymentActionRequired: payment_action_required,
    PaymentDeclined: payment_declined,
    PaymentCaptured: payment_captured,
    PaymentRefunded: payment_refunded,
    ShipmentDispatched: shipment_dispatched,
    ShipmentDelivered: shipment_delivered,
}

# The steps whose event tells what was ordered.
TELLS_LINES = {PaymentCaptured, ShipmentDelivered}


@worker.on(*TRANSITIONS)
def advance(events: Sequence[Received[Any]]) -> None:
    """Let every order of the batch follow the event it heard."""
    orders = lock_orders(
        ids=[event.order_id for event in events],
        with_lines_of=[event.order_id for event in events if type(event.data) in TELLS_LINES],
    )
    changes: list[Change] = []
    refused: list[tuple[Order, Received[Any]]] = []
    for event in events:
        order = orders.get(event.order_id)
        if order is None:
            about = {"order_id": event.order_id, "event_id": event.id}
            logger.error("%s is about order %s, which is not here", event.type, event.order_id, extra=about)
            continue
        step = TRANSITIONS[type(event.data)](order, event.data)
        if step is None:
            refused.append((order, event))
        else:
            changes.append(Change(order=order, step=step, heard=event))
    write_down(changes=changes)
    refuse(refused=refused)
