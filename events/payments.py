"""Topic `payments`: what became of the money of an order."""

from uuid import UUID

from events.declaration import Event, event
from events.values import Amount, Card, Currency


@event(topic="payments")
class PaymentCaptured(Event, frozen=True, kw_only=True):
    """The provider took the money."""

    attempt_id: UUID
    amount: Amount
    currency: Currency
    card: Card


@event(topic="payments")
class PaymentDeclined(Event, frozen=True, kw_only=True):
    """The provider refused the charge; the buyer may try another card."""

    attempt_id: UUID
    decline_code: str
    card: Card


@event(topic="payments")
class PaymentActionRequired(Event, frozen=True, kw_only=True):
    """The buyer's bank wants to ask the buyer at `action_url` (3-D Secure)."""

    attempt_id: UUID
    action_url: str
    card: Card


@event(topic="payments")
class AuthenticationReturned(Event, frozen=True, kw_only=True):
    """The buyer came back from the bank's page; ask the provider how it went."""

    attempt_id: UUID


@event(topic="payments")
class PaymentRefunded(Event, frozen=True, kw_only=True):
    """The provider gave the money back."""

    attempt_id: UUID
    refund_id: UUID
    amount: Amount
    currency: Currency
