"""What others may know of payments: frozen values, never rows."""

from datetime import datetime
from uuid import UUID

import msgspec

from payments.gateways import gateway
from payments.models import Payment, PaymentAttempt, PaymentMethod, Refund


class AttemptValue(msgspec.Struct, frozen=True, kw_only=True):
    """One try to charge a card."""

    id: UUID
    status: str
    decline_code: str
    brand: str
    last4: str
    action_url: str
    created_at: datetime


class RefundValue(msgspec.Struct, frozen=True, kw_only=True):
    """Money that goes back."""

    id: UUID
    status: str
    amount: int
    created_at: datetime


class PaymentValue(msgspec.Struct, frozen=True, kw_only=True):
    """The payment of an order; amounts in minor units of `currency`, attempts and refunds oldest first."""

    order_id: UUID
    status: str
    amount: int
    currency: str
    captured_amount: int
    refunded_amount: int
    attempts: tuple[AttemptValue, ...]
    refunds: tuple[RefundValue, ...]

    @property
    def brand(self) -> str:
        """The brand of the card tried last."""
        return self.attempts[-1].brand if self.attempts else ""

    @property
    def last4(self) -> str:
        """The last four digits of the card tried last."""
        return self.attempts[-1].last4 if self.attempts else ""


def payment_method_exists(*, token: str) -> bool:
    """Say whether a payment method can be charged: made in this shop, or ready-made at the provider."""
    return token in gateway().ready_made or PaymentMethod.objects.filter(token=token).exists()


def payment_of_order(*, order_id: UUID) -> PaymentValue | None:
    """Return the payment of an order, or None if none was asked for yet."""
    payment = Payment.objects.prefetch_related("attempts", "refunds").filter(order_id=order_id).first()
    return _payment_value(payment) if payment else None


def _payment_value(payment: Payment) -> PaymentValue:
    return PaymentValue(
        order_id=payment.order_id,
        status=payment.status,
        amount=payment.amount,
        currency=payment.currency,
        captured_amount=payment.captured_amount,
        refunded_amount=payment.refunded_amount,
        attempts=tuple(_attempt_value(attempt) for attempt in payment.attempts.all()),
        refunds=tuple(_refund_value(refund) for refund in payment.refunds.all()),
    )


def _attempt_value(attempt: PaymentAttempt) -> AttemptValue:
    return AttemptValue(
        id=attempt.id,
        status=attempt.status,
        decline_code=attempt.decline_code,
        brand=attempt.brand,
        last4=attempt.last4,
        action_url=attempt.action_url,
        created_at=attempt.created_at,
    )


def _refund_value(refund: Refund) -> RefundValue:
    return RefundValue(id=refund.id, status=refund.status, amount=refund.amount, created_at=refund.created_at)
