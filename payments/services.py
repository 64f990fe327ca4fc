"""What the shop asks of payments."""

from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from events import publish
from events.payments import AuthenticationReturned
from payments.gateways import CardRefused, gateway
from payments.models import AttemptStatus, PaymentAttempt, PaymentMethod
from payments.rows import lock_payments, save_payments
from workers import DependencyDown, TransientError

__all__ = [
    "AttemptNotFound",
    "CardRefused",
    "PaymentMethodValue",
    "PaymentsUnavailable",
    "authentication_returned",
    "tokenize_card",
]


class PaymentMethodValue(msgspec.Struct, frozen=True, kw_only=True):
    """A token that stands for a card."""

    id: str
    brand: str
    last4: str


class PaymentsUnavailable(RuntimeError):
    """The payment provider cannot be reached; ask the buyer to try again in a moment."""


class AttemptNotFound(LookupError):
    """There is no payment attempt with this id; answer as for any unknown address."""


def tokenize_card(*, number: str, expiry_month: int, expiry_year: int, cvc: str) -> PaymentMethodValue:
    """Turn a card into a token at the provider; number and code are not kept, nor written anywhere.

    Raises `CardRefused` (with a code and words for the buyer) and `PaymentsUnavailable`.
    """
    try:
        made = gateway().tokenize(number=number, expiry_month=expiry_month, expiry_year=expiry_year, cvc=cvc)
    except (DependencyDown, TransientError) as error:
        raise PaymentsUnavailable(
            _("The payment provider cannot be reached. Try again in a moment.")
        ) from error
    PaymentMethod.objects.create(token=made.id, brand=made.card.brand, last4=made.card.last4)
    return PaymentMethodValue(id=made.id, brand=made.card.brand, last4=made.card.last4)


@transaction.atomic
def authentication_returned(*, attempt_id: UUID) -> UUID:
    """Note that the buyer came back from the bank's page, and return the id of the order it is about.

    Coming back again, or after the attempt was settled, changes nothing. Raises `AttemptNotFound`.
    """
    order_id = _order_of(attempt_id=attempt_id)
    payment = lock_payments(order_ids=[order_id])[order_id]
    if not PaymentAttempt.objects.filter(id=attempt_id, status=AttemptStatus.ACTION_REQUIRED).exists():
        return order_id
    payment.version += 1
    save_payments(payments=[payment])
    publish(
        AuthenticationReturned(order_id=order_id, attempt_id=attempt_id),
        aggregate_type="payment",
        aggregate_id=order_id,
        version=payment.version,
    )
    return order_id


def _order_of(*, attempt_id: UUID) -> UUID:
    found = PaymentAttempt.objects.filter(id=attempt_id).values_list("payment_id", flat=True).first()
    if found is None:
        raise AttemptNotFound(f"There is no payment attempt {attempt_id}.")
    return found
