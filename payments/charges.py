"""Attempts to charge: begun when an order asks for its money, settled by what the provider says.

An attempt whose outcome is not known, or whose buyer is still at the bank's page, is looked after until
it is settled.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from events import Outgoing, Received, publish_all
from events.declaration import Event
from events.orders import PaymentRequested
from events.payments import (
    AuthenticationReturned,
    PaymentActionRequired,
    PaymentCaptured,
    PaymentDeclined,
)
from payments.gateways import ActionRequired, Captured, Charge, Declined, Outcome, Unknown
from payments.models import OPEN, AttemptStatus, Payment, PaymentAttempt, PaymentStatus
from payments.rows import lock_payments, save_attempts, save_payments
from workers import Performed

CHECKS_AT_ONCE = 100
LONGEST_WAIT = timedelta(hours=1)
FIRST_LOOK_AFTER_BUYER = timedelta(minutes=1)
FIRST_LOOK_AFTER_SILENCE = timedelta(seconds=1)
BUYER_MAY_TAKE = timedelta(hours=24)
CHARGE_MAY_TRAVEL = timedelta(minutes=10)


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A charge to settle, because its buyer has come back from the bank's page."""

    attempt_id: UUID
    order_id: UUID
    charge_id: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to look after; `charge_id` is empty while the provider has never answered.

    `may_charge` says whether to charge, with the same key, if the provider has never heard of the attempt.
    """

    attempt_id: UUID
    order_id: UUID
    charge_id: str
    charge: Charge
    may_charge: bool


# What a call to the provider ended with. The intent is a Charge, a Confirmation or a Check; the outcome is an
# Outcome, or None if the provider has not heard of the attempt.
Result = Performed[Any, Any, Any]


def begin_charges(*, events: Sequence[Received[PaymentRequested]]) -> list[Charge | None]:
    """Return what to charge for each event; None where the order is cancelled, or an attempt is under way.

    The attempt takes its id from the event, so an event that comes again finds the attempt it made before.
    """
    payments = _open_payments(events=events)
    attempts = _attempts_for(events=events, payments=payments)
    return [_charge_if_pending(attempt=attempts.get(event.id), payments=payments) for event in events]


def begin_confirmations(*, events: Sequence[Received[AuthenticationReturned]]) -> list[Confirmation | None]:
    """Return what to confirm for each buyer who came back; None where the attempt waits no longer."""
    ids = [event.data.attempt_id for event in events]
    waiting = PaymentAttempt.objects.filter(id__in=ids, status=AttemptStatus.ACTION_REQUIRED).in_bulk()
    return [_confirmation(attempt=waiting.get(attempt_id)) for attempt_id in ids]


def begin_checks() -> list[Check]:
    """Return the attempts that are due to be looked after, and put their next turn off meanwhile."""
    now = timezone.now()
    due = list(
        PaymentAttempt.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(next_check_at__lte=now)
        .select_related("payment")
        .order_by("next_check_at")[:CHECKS_AT_ONCE]
    )
    # A check that fails is not recorded; it must not come first again and keep the others waiting.
    PaymentAttempt.objects.filter(id__in=[attempt.id for attempt in due]).update(
        next_check_at=now + FIRST_LOOK_AFTER_BUYER
    )
    return [_check(attempt=attempt) for attempt in due]


def look_after_forgotten() -> None:
    """Make attempts due that were begun and never settled, when their order's hold is long over.

    Until then their event may still be tried again, and make the charge.
    """
    forgotten = PaymentAttempt.objects.filter(
        status=AttemptStatus.PENDING, next_check_at=None, created_at__lt=_too_late_to_charge()
    )
    forgotten.update(next_check_at=timezone.now())


def settle_charges(*, results: Sequence[Result]) -> None:
    """Write down what the provider said of each attempt, and publish what is news.

    An outcome of None says that the provider has not heard of the attempt. What it says of an attempt that is
    settled already changes nothing.
    """
    attempts = _locked_attempts(intents=[result.intent for result in results])
    told = [
        (attempts[result.intent.attempt_id], result)
        for result in results
        if attempts[result.intent.attempt_id].status in OPEN
    ]
    news = [_news(attempt=attempt, result=result) for attempt, result in told]
    save_attempts(attempts=[attempt for attempt, _ in told])
    save_payments(payments=[attempt.payment for attempt, _ in told])
    publish_all([outgoing for outgoing in news if outgoing])


def abandon_attempts(*, payments: Collection[Payment]) -> None:
    """Give up the attempts of locked payments whose buyer has not answered; the caller saves the payments.

    An attempt that was begun and never settled is looked after first: the provider may have taken the money.
    """
    attempts = PaymentAttempt.objects.filter(
        payment__in=payments, status__in=[AttemptStatus.ACTION_REQUIRED, AttemptStatus.PENDING]
    )
    open_attempts = {attempt.payment_id: attempt for attempt in attempts}
    for payment in payments:
        if attempt := open_attempts.get(payment.order_id):
            _abandon_or_ask(attempt=attempt)
            payment.status = PaymentStatus(attempt.status)
    save_attempts(attempts=[*open_attempts.values()])


def _open_payments(*, events: Sequence[Received[PaymentRequested]]) -> dict[UUID, Payment]:
    Payment.objects.bulk_create(
        [
            Payment(
                order_id=event.order_id,
                order_number=event.data.number,
                amount=event.data.amount,
                currency=event.data.currency,
            )
            for event in events
        ],
        ignore_conflicts=True,
    )
    return lock_payments(order_ids=[event.order_id for event in events])


def _attempts_for(
    *, events: Sequence[Received[PaymentRequested]], payments: dict[UUID, Payment]
) -> dict[UUID, PaymentAttempt]:
    mine = Q(id__in=[event.id for event in events])
    under_way = Q(payment__in=payments, status__in=[*OPEN, AttemptStatus.CAPTURED])
    known = list(PaymentAttempt.objects.filter(mine | under_way))
    made = _new_attempts(events=events, payments=payments, known=known)
    return {attempt.id: attempt for attempt in [*known, *made]}


def _new_attempts(
    *,
    events: Sequence[Received[PaymentRequested]],
    payments: dict[UUID, Payment],
    known: Sequence[PaymentAttempt],
) -> list[PaymentAttempt]:
    begun = {attempt.id for attempt in known}
    busy = {attempt.payment_id for attempt in known if attempt.status in [*OPEN, AttemptStatus.CAPTURED]}
    return PaymentAttempt.objects.bulk_create(
        PaymentAttempt(id=event.id, payment_id=event.order_id, payment_method=event.data.payment_method)
        for event in events
        if event.id not in begun and event.order_id not in busy and not payments[event.order_id].cancelled_at
    )


def _charge_if_pending(*, attempt: PaymentAttempt | None, payments: dict[UUID, Payment]) -> Charge | None:
    if attempt is None or attempt.status != AttemptStatus.PENDING:
        return None
    return _charge(attempt=attempt, payment=payments[attempt.payment_id])


def _charge(*, attempt: PaymentAttempt, payment: Payment) -> Charge:
    return Charge(
        attempt_id=attempt.id,
        order_id=attempt.payment_id,
        order_number=payment.order_number,
        amount=payment.amount,
        currency=payment.currency,
        payment_method=attempt.payment_method,
        return_url=f"{settings.SHOP_URL}/payments/return/{attempt.id}/",
    )


def _confirmation(*, attempt: PaymentAttempt | None) -> Confirmation | None:
    if attempt is None:
        return None
    return Confirmation(attempt_id=attempt.id, order_id=attempt.payment_id, charge_id=attempt.bank_charge_id)


def _check(*, attempt: PaymentAttempt) -> Check:
    return Check(
        attempt_id=attempt.id,
        order_id=attempt.payment_id,
        charge_id=attempt.bank_charge_id,
        charge=_charge(attempt=attempt, payment=attempt.payment),
        may_charge=attempt.payment.cancelled_at is None and attempt.created_at > _too_late_to_charge(),
    )


def _too_late_to_charge() -> datetime:
    """Return the moment before which an attempt's order has ended, if nothing was captured."""
    return timezone.now() - timedelta(seconds=settings.HOLD_SECONDS) - CHARGE_MAY_TRAVEL


def _locked_attempts(*, intents: Sequence[Charge | Confirmation | Check]) -> dict[UUID, PaymentAttempt]:
    payments = lock_payments(order_ids={intent.order_id for intent in intents})
    attempts = PaymentAttempt.objects.in_bulk([intent.attempt_id for intent in intents])
    for attempt in attempts.values():
        attempt.payment = payments[attempt.payment_id]
    return attempts


def _news(*, attempt: PaymentAttempt, result: Result) -> Outgoing | None:
    was = attempt.status
    event = _apply(attempt=attempt, outcome=result.outcome)
    attempt.payment.status = PaymentStatus(attempt.status)
    if event is None or attempt.status == was:
        return None
    attempt.payment.version += 1
    return Outgoing(
        event=event,
        aggregate_type="payment",
        aggregate_id=attempt.payment_id,
        version=attempt.payment.version,
        cause=result.event.cause if result.event else None,
    )


def _apply(*, attempt: PaymentAttempt, outcome: Outcome | None) -> Event | None:
    match outcome:
        case Captured():
            return _capture(attempt=attempt, outcome=outcome)
        case Declined():
            return _decline(attempt=attempt, outcome=outcome)
        case ActionRequired():
            return _wait_for_buyer(attempt=attempt, outcome=outcome)
        case Unknown():
            _wait_for_provider(attempt=attempt)
        case None:
            _wait_or_abandon(attempt=attempt)
    return None


def _capture(*, attempt: PaymentAttempt, outcome: Captured) -> PaymentCaptured:
    _close(attempt=attempt, status=AttemptStatus.CAPTURED)
    _remember(attempt=attempt, outcome=outcome)
    attempt.payment.captured_amount = attempt.payment.amount
    return PaymentCaptured(
        order_id=attempt.payment_id,
        attempt_id=attempt.id,
        amount=attempt.payment.amount,
        currency=attempt.payment.currency,
        card=outcome.card,
    )


def _decline(*, attempt: PaymentAttempt, outcome: Declined) -> PaymentDeclined:
    _close(attempt=attempt, status=AttemptStatus.DECLINED)
    _remember(attempt=attempt, outcome=outcome)
    attempt.decline_code = outcome.code
    return PaymentDeclined(
        order_id=attempt.payment_id, attempt_id=attempt.id, decline_code=outcome.code, card=outcome.card
    )


def _wait_for_buyer(*, attempt: PaymentAttempt, outcome: ActionRequired) -> PaymentActionRequired | None:
    if timezone.now() - attempt.created_at > BUYER_MAY_TAKE:
        _abandon(attempt=attempt)
        return None
    if attempt.status != AttemptStatus.ACTION_REQUIRED:
        attempt.checks = 0
    attempt.status = AttemptStatus.ACTION_REQUIRED
    attempt.action_url = outcome.url
    _remember(attempt=attempt, outcome=outcome)
    _look_again(attempt=attempt, first=FIRST_LOOK_AFTER_BUYER)
    return PaymentActionRequired(
        order_id=attempt.payment_id, attempt_id=attempt.id, action_url=outcome.url, card=outcome.card
    )


def _wait_for_provider(*, attempt: PaymentAttempt) -> None:
    if attempt.status == AttemptStatus.PENDING:
        attempt.status = AttemptStatus.UNKNOWN
    _look_again(attempt=attempt, first=FIRST_LOOK_AFTER_SILENCE)


def _abandon_or_ask(*, attempt: PaymentAttempt) -> None:
    if attempt.status == AttemptStatus.ACTION_REQUIRED:
        _abandon(attempt=attempt)
    else:
        _wait_for_provider(attempt=attempt)


def _wait_or_abandon(*, attempt: PaymentAttempt) -> None:
    # A charge may still be on its way to a provider that has not heard of it yet.
    if timezone.now() - attempt.created_at > CHARGE_MAY_TRAVEL:
        _abandon(attempt=attempt)
    else:
        _wait_for_provider(attempt=attempt)


def _abandon(*, attempt: PaymentAttempt) -> None:
    _close(attempt=attempt, status=AttemptStatus.ABANDONED)


def _close(*, attempt: PaymentAttempt, status: AttemptStatus) -> None:
    attempt.status = status
    attempt.action_url = ""
    attempt.next_check_at = None


def _remember(*, attempt: PaymentAttempt, outcome: Captured | Declined | ActionRequired) -> None:
    attempt.bank_charge_id = outcome.charge_id
    attempt.brand, attempt.last4 = outcome.card.brand, outcome.card.last4


def _look_again(*, attempt: PaymentAttempt, first: timedelta) -> None:
    wait = min(first * 2 ** min(attempt.checks, 20), LONGEST_WAIT)
    attempt.next_check_at = timezone.now() + wait
    attempt.checks += 1
