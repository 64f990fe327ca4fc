"""The rows of payments, many at a time: locked in one order, saved with one statement."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection

from payments.models import Payment, PaymentAttempt

_SAVE_PAYMENTS = """
    UPDATE payments_payment AS payment
    SET status = changed.status,
        captured_amount = changed.captured_amount,
        promised_amount = changed.promised_amount,
        refunded_amount = changed.refunded_amount,
        version = changed.version,
        cancelled_at = changed.cancelled_at
    FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
                %s::timestamptz[])
        AS changed (order_id, status, captured_amount, promised_amount, refunded_amount, version, cancelled_at)
    WHERE payment.order_id = changed.order_id
"""

_SAVE_ATTEMPTS = """
    UPDATE payments_paymentattempt AS attempt
    SET status = changed.status,
        decline_code = changed.decline_code,
        brand = changed.brand,
        last4 = changed.last4,
        action_url = changed.action_url,
        bank_charge_id = changed.bank_charge_id,
        checks = changed.checks,
        next_check_at = changed.next_check_at
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[],
                %s::timestamptz[])
        AS changed (id, status, decline_code, brand, last4, action_url, bank_charge_id, checks, next_check_at)
    WHERE attempt.id = changed.id
"""


def lock_payments(*, order_ids: Collection[UUID]) -> dict[UUID, Payment]:
    """Lock the payments of these orders, always in the order of their ids, and return them by order."""
    rows = Payment.objects.select_for_update().filter(order_id__in=order_ids).order_by("order_id")
    return {payment.order_id: payment for payment in rows}


def save_payments(*, payments: Sequence[Payment]) -> None:
    """Write what can change of locked payments."""
    _execute(
        _SAVE_PAYMENTS,
        [
            (
                payment.order_id,
                payment.status,
                payment.captured_amount,
                payment.promised_amount,
                payment.refunded_amount,
                payment.version,
                payment.cancelled_at,
            )
            for payment in payments
        ],
    )


def save_attempts(*, attempts: Sequence[PaymentAttempt]) -> None:
    """Write what can change of the attempts of locked payments."""
    _execute(
        _SAVE_ATTEMPTS,
        [
            (
                attempt.id,
                attempt.status,
                attempt.decline_code,
                attempt.brand,
                attempt.last4,
                attempt.action_url,
                attempt.bank_charge_id,
                attempt.checks,
                attempt.next_check_at,
            )
            for attempt in attempts
        ],
    )


def _execute(statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
