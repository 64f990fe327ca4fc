"""Topic `orders`: the story of an order, told by the order itself.

Every record here is one entry of the order's timeline, and its `sequence` header is that entry's number:
whoever reads this topic alone can follow an order without a gap.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from events.declaration import Event, event
from events.values import Address, Amount, Charges, Currency, Line, Sku

RejectionReason = Literal["out_of_stock", "payment_declined", "expired"]
Actor = Literal["buyer", "staff", "system"]


@event(topic="orders")
class OrderPlaced(Event, frozen=True, kw_only=True):
    """A buyer completed checkout, on pages in `language` (a code of `settings.LANGUAGES`).

    `buyer_id` is the account that was signed in, None for a guest.
    """

    number: str
    token: str
    lines: tuple[Line, ...]
    total: Amount
    currency: Currency
    email: str
    ship_to: Address
    payment_method: str
    placed_at: datetime
    language: str = "en"
    charges: Charges = Charges()
    buyer_id: int | None = None


@event(topic="orders")
class PaymentRequested(Event, frozen=True, kw_only=True):
    """Stock is held; charge this amount to this payment method."""

    number: str
    amount: Amount
    currency: Currency
    payment_method: str


@event(topic="orders")
class OrderConfirmed(Event, frozen=True, kw_only=True):
    """The order is paid; fulfil it."""

    number: str
    lines: tuple[Line, ...]
    total: Amount
    currency: Currency
    ship_to: Address


@event(topic="orders")
class OrderRejected(Event, frozen=True, kw_only=True):
    """The order ended without a sale."""

    number: str
    reason: RejectionReason
    short_skus: tuple[Sku, ...] = ()


@event(topic="orders")
class OrderCancelled(Event, frozen=True, kw_only=True):
    """The buyer or staff cancelled the order before it was shipped."""

    number: str
    cancelled_by: Actor
    reason: str = ""


@event(topic="orders")
class OrderAdvanced(Event, frozen=True, kw_only=True):
    """The order's timeline grew by a step that no other event of this topic tells."""

    number: str
    step: str
    status: str


@event(topic="orders")
class RefundRequested(Event, frozen=True, kw_only=True):
    """Money of this order goes back: staff decided so, or it was captured for an order that had ended.

    With `amount` and `return_id` it is what one return is worth, otherwise all that is left.
    """

    number: str
    requested_by: Actor
    reason: str
    amount: Amount | None = None
    return_id: UUID | None = None


@event(topic="orders")
class ReturnReceived(Event, frozen=True, kw_only=True):
    """Pieces of a delivered order are back in the house, fit to be sold again."""

    number: str
    return_id: UUID
    lines: tuple[Line, ...]


@event(topic="orders")
class OrderCompleted(Event, frozen=True, kw_only=True):
    """The order is delivered; nothing is left to do."""

    number: str
    lines: tuple[Line, ...]
    total: Amount
    currency: Currency
