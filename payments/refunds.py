"""Money that goes back: what a return is worth, or all that is left of a captured attempt, each once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.utils import timezone
from uuid_utils.compat import uuid7

from events import Outgoing, Received, publish_all
from events.orders import OrderCancelled, OrderRejected, RefundRequested
from events.payments import PaymentRefunded
from payments.charges import abandon_attempts
from payments.models import AttemptStatus, Payment, PaymentAttempt, PaymentStatus, Refund, RefundStatus
from payments.rows import lock_payments, save_payments
from workers import Performed

OVERDUE_AFTER = timedelta(minutes=10)
_REFUNDS_AT_ONCE = 100

Reason = OrderCancelled | OrderRejected | RefundRequested
Place = tuple[UUID, UUID | None]


class Repayment(msgspec.Struct, frozen=True, kw_only=True):
    """A refund to make at the provider."""

    refund_id: UUID
    charge_id: str
    amount: int


def begin_refunds(*, events: Sequence[Received[Reason]]) -> list[Repayment | None]:
    """Return what to give back for each event; None where nothing was captured, or it has gone back already.

    An order that has ended without a sale is also charged no more.
    """
    payments = lock_payments(order_ids=[event.order_id for event in events])
    ended = {event.order_id for event in events if not isinstance(event.data, RefundRequested)}
    _stop_charging(payments=[payments[order_id] for order_id in ended & payments.keys()])
    refunds = _refunds_for(events=events, payments=payments)
    return [_repayment_if_pending(refund=refunds.get(_place_of(event=event))) for event in events]


def begin_overdue_refunds() -> list[Repayment]:
    """Return refunds that were begun long ago and never made, because their event was given up.

    Any of them, not the oldest: some may be refused by the provider each time, and must not keep the others waiting.
    """
    overdue = Refund.objects.filter(
        status=RefundStatus.PENDING, created_at__lt=timezone.now() - OVERDUE_AFTER
    ).select_related("attempt")
    found = [_repayment_if_pending(refund=refund) for refund in overdue.order_by("?")[:_REFUNDS_AT_ONCE]]
    return [repayment for repayment in found if repayment]


def settle_refunds(*, results: Sequence[Performed[Reason, Repayment, str]]) -> None:
    """Write down the refunds that the provider has made, and publish them."""
    refunds = _locked_refunds(ids=[result.intent.refund_id for result in results])
    made = [(refunds[result.intent.refund_id], result) for result in results]
    pending = [(refund, result) for refund, result in made if refund.status == RefundStatus.PENDING]
    news = [_complete(refund=refund, result=result) for refund, result in pending]
    Refund.objects.bulk_update([refund for refund, _ in pending], ["status", "bank_refund_id"])
    save_payments(payments=[refund.payment for refund, _ in pending])
    publish_all(news)


def _stop_charging(*, payments: Sequence[Payment]) -> None:
    if not payments:
        return
    now = timezone.now()
    for payment in payments:
        payment.cancelled_at = payment.cancelled_at or now
    abandon_attempts(payments=payments)
    save_payments(payments=payments)


def _refunds_for(*, events: Sequence[Received[Reason]], payments: dict[UUID, Payment]) -> dict[Place, Refund]:
    attempts = PaymentAttempt.objects.filter(payment__in=payments, status=AttemptStatus.CAPTURED)
    captured = {attempt.payment_id: attempt for attempt in attempts}
    known = Refund.objects.filter(payment__in=payments).select_related("attempt")
    refunds = {(refund.payment_id, refund.return_id): refund for refund in known}
    made = [
        _new_refund(event=event, attempt=captured[event.order_id], payment=payments[event.order_id])
        for event in events
        if event.order_id in captured and _place_of(event=event) not in refunds
    ]
    worth = Refund.objects.bulk_create(refund for refund in made if refund.amount)
    save_payments(payments=[refund.payment for refund in worth])
    return refunds | {(refund.payment_id, refund.return_id): refund for refund in worth}


def _place_of(*, event: Received[Reason]) -> Place:
    """Return which refund an event asks for: that of a return, or that of all that is left."""
    return event.order_id, event.data.return_id if isinstance(event.data, RefundRequested) else None


def _new_refund(*, event: Received[Reason], attempt: PaymentAttempt, payment: Payment) -> Refund:
    left = payment.captured_amount - payment.promised_amount
    asked = event.data.amount if isinstance(event.data, RefundRequested) else None
    amount = left if asked is None else min(asked, left)
    payment.promised_amount += amount
    _, return_id = _place_of(event=event)
    return Refund(id=uuid7(), attempt=attempt, payment=payment, return_id=return_id, amount=amount)


def _repayment_if_pending(*, refund: Refund | None) -> Repayment | None:
    if refund is None or refund.status != RefundStatus.PENDING:
        return None
    return Repayment(refund_id=refund.id, charge_id=refund.attempt.bank_charge_id, amount=refund.amount)


def _locked_refunds(*, ids: Sequence[UUID]) -> dict[UUID, Refund]:
    owners = Refund.objects.filter(id__in=ids).values_list("payment_id", flat=True)
    payments = lock_payments(order_ids=list(owners))
    refunds = {refund.id: refund for refund in Refund.objects.filter(id__in=ids)}
    for refund in refunds.values():
        refund.payment = payments[refund.payment_id]
    return refunds


def _complete(*, refund: Refund, result: Performed[Any, Repayment, str]) -> Outgoing:
    refund.status, refund.bank_refund_id = RefundStatus.SUCCEEDED, result.outcome
    refund.payment.refunded_amount += refund.amount
    if refund.payment.refunded_amount == refund.payment.captured_amount:
        refund.payment.status = PaymentStatus.REFUNDED
    refund.payment.version += 1
    return Outgoing(
        event=PaymentRefunded(
            order_id=refund.payment_id,
            attempt_id=refund.attempt_id,
            refund_id=refund.id,
            amount=refund.amount,
            currency=refund.payment.currency,
        ),
        aggregate_type="payment",
        aggregate_id=refund.payment_id,
        version=refund.payment.version,
        cause=result.event.cause if result.event else None,
    )
