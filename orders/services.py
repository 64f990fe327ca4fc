"""What may be done to an order from outside: place it, cancel it, pay again, ask for its money back."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from events.orders import Actor, OrderCancelled, OrderPlaced, RefundRequested
from events.values import Address, Charges, Line, subtotal_of
from orders import words
from orders.journal import Change, Step, locked_order, write_down
from orders.models import Order, TimelineEntry
from orders.placing import IdempotencyInFlight, find_by_key, fingerprint, insert_order, new_number
from orders.rules import can_cancel, can_pay, can_refund
from orders.saga import request_payment

__all__ = [
    "CannotCancel",
    "CannotPay",
    "CannotRefund",
    "IdempotencyConflict",
    "IdempotencyInFlight",
    "PlacedOrder",
    "cancel_order",
    "claim_orders",
    "find_placed_order",
    "pay_again",
    "place_order",
    "request_refund",
]


NO_CHARGES = Charges()


class IdempotencyConflict(ValueError):
    """This idempotency key was used for another order; take a new key for a new order."""


class CannotCancel(ValueError):
    """The order can no longer be cancelled; the message says why."""


class CannotPay(ValueError):
    """The order does not wait for another payment; the message says why."""


class CannotRefund(ValueError):
    """There is no money of this order to send back; the message says why."""


class PlacedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer gets for placing an order: the number for people, the token as its address."""

    order_id: UUID
    number: str
    token: str
    total: int
    currency: str
    placed_at: datetime


def place_order(
    *,
    lines: Sequence[Line],
    email: str,
    ship_to: Address,
    payment_method: str,
    currency: str,
    charges: Charges = NO_CHARGES,
    idempotency_key: str | None = None,
    buyer_id: int | None = None,
) -> PlacedOrder:
    """Write the order, its first timeline entry and `OrderPlaced` in one short transaction.

    Prices in `lines` and `charges` are minor units of `currency`, looked up by the caller. `buyer_id` is the
    account of a buyer who is signed in. With an idempotency key, the same request again returns the same order.
    Raises `IdempotencyConflict` for another request with that key, `IdempotencyInFlight` while the first is still
    being written, and `ValueError` without lines.
    """
    if not lines:
        raise ValueError("An order needs at least one line.")
    order = _new_order(
        lines=lines,
        charges=charges,
        buyer_id=buyer_id,
        email=email,
        ship_to=msgspec.to_builtins(ship_to),
        currency=currency,
        payment_method=payment_method,
        idempotency_key=idempotency_key,
        idempotency_fingerprint=fingerprint(
            wanted=[(line.sku, line.quantity) for line in lines],
            email=email,
            ship_to=ship_to,
            payment_method=payment_method,
            shipping_method=charges.shipping_method,
            coupon=charges.coupon,
        ),
    )
    entry = _first_entry(order=order)
    placed = insert_order(
        order=order, lines=lines, entry=entry, tell=lambda: _placed(order=order, lines=lines, charges=charges)
    )
    if placed is not order:
        return _same(order=placed, fingerprint=order.idempotency_fingerprint)
    return _value(order=order)


def find_placed_order(
    *,
    wanted: Sequence[tuple[str, int]],
    email: str,
    ship_to: Address,
    payment_method: str,
    idempotency_key: str,
    shipping_method: str = NO_CHARGES.shipping_method,
    coupon: str = "",
) -> PlacedOrder | None:
    """Return the order that this request placed before, also when its products are no longer sold.

    `wanted` holds SKU and quantity of each line. Raises `IdempotencyConflict` for another request with that key.
    """
    order = find_by_key(key=idempotency_key)
    if order is None:
        return None
    asked = fingerprint(
        wanted=wanted,
        email=email,
        ship_to=ship_to,
        payment_method=payment_method,
        shipping_method=shipping_method,
        coupon=coupon,
    )
    return _same(order=order, fingerprint=asked)


def cancel_order(*, token: str, by: Actor, reason: str = "") -> None:
    """Cancel an order that has not left yet; money that was captured goes back.

    Raises `OrderNotFound`, or `CannotCancel` once the parcel has left or the order has ended.
    """
    with locked_order(token=token) as order:
        if not can_cancel(order=order):
            raise CannotCancel(_why_not_cancel(order=order))
        order.status = Order.Status.CANCELLED
        order.reason = "cancelled_by_" + by
        order.action_url = ""
        order.hold_expires_at = None
        told = OrderCancelled(order_id=order.id, number=order.number, cancelled_by=by, reason=reason)
        text = words.CANCELLED_BY_BUYER if by == "buyer" else words.CANCELLED_BY_STAFF
        write_down(changes=[Change(order=order, step=Step(type="cancelled", text=text, event=told))])


def pay_again(*, token: str, payment_method: str) -> None:
    """Ask for the money once more with another payment method, after a decline and within the hold.

    Raises `OrderNotFound`, or `CannotPay` when the order does not wait for a card.
    """
    with locked_order(token=token) as order:
        if not can_pay(order=order):
            raise CannotPay(_why_not_pay(order=order))
        order.status = Order.Status.RESERVED
        order.payment_method = payment_method
        order.decline_code = ""
        step = Step(
            type="payment_retried",
            text=words.PAID_AGAIN,
            event=request_payment(order=order),
        )
        write_down(changes=[Change(order=order, step=step)])


def request_refund(*, token: str, by: Actor, reason: str) -> None:
    """Ask the payments service to send the order's money back.

    Raises `OrderNotFound`, or `CannotRefund` when nothing was paid or all of it is on its way back.
    """
    with locked_order(token=token) as order:
        if not can_refund(order=order):
            raise CannotRefund("Nothing was captured for this order, or it is on its way back already.")
        told = RefundRequested(order_id=order.id, number=order.number, requested_by=by, reason=reason)
        step = Step(type="refund_requested", text=words.REFUND_REQUESTED, event=told)
        write_down(changes=[Change(order=order, step=step)])


def claim_orders(*, buyer_id: int, email: str) -> int:
    """Give an account the orders that were placed as a guest with its address; return how many those were.

    Call it for an address that has been proven to be the account's.
    """
    return Order.objects.filter(email__iexact=email, buyer_id=None).update(buyer_id=buyer_id)


def _new_order(*, lines: Sequence[Line], charges: Charges, **values: Any) -> Order:
    now = timezone.now()
    subtotal = subtotal_of(lines=lines)
    return Order(
        number=new_number(),
        token=secrets.token_urlsafe(24),
        subtotal=subtotal,
        total=subtotal - charges.discount + charges.shipping,
        placed_at=now,
        updated_at=now,
        **msgspec.structs.asdict(charges),
        **values,
    )


def _first_entry(*, order: Order) -> TimelineEntry:
    return TimelineEntry(sequence=order.sequence, type="placed", text=words.PLACED, at=order.placed_at)


def _placed(*, order: Order, lines: Sequence[Line], charges: Charges) -> OrderPlaced:
    return OrderPlaced(
        order_id=order.id,
        number=order.number,
        token=order.token,
        lines=tuple(lines),
        total=order.total,
        currency=order.currency,
        email=order.email,
        ship_to=msgspec.convert(order.ship_to, Address),
        payment_method=order.payment_method,
        placed_at=order.placed_at,
        language=get_language() or settings.LANGUAGE_CODE,
        charges=charges,
        buyer_id=order.buyer_id,
    )


def _same(*, order: Order, fingerprint: str) -> PlacedOrder:
    if order.idempotency_fingerprint != fingerprint:
        raise IdempotencyConflict(
            "This Idempotency-Key belongs to another order. Use a new key for a new order."
        )
    return _value(order=order)


def _value(*, order: Order) -> PlacedOrder:
    return PlacedOrder(
        order_id=order.id,
        number=order.number,
        token=order.token,
        total=order.total,
        currency=order.currency,
        placed_at=order.placed_at,
    )


def _why_not_cancel(*, order: Order) -> str:
    if order.status in (Order.Status.SHIPPED, Order.Status.COMPLETED):
        return _("The parcel has left already. You can send it back after it has arrived.")
    return _("This order has ended already.")


def _why_not_pay(*, order: Order) -> str:
    if order.status == Order.Status.PAYMENT_DECLINED:
        return _("The books are no longer held for this order. Please order again.")
    return _("This order does not wait for another card.")
