"""What we say to buyers: one short letter for each kind of mail, in plain words."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from events.declaration import Event
from events.money import format_money
from events.orders import OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected
from events.payments import PaymentActionRequired, PaymentDeclined, PaymentRefunded
from events.shipments import ShipmentDelivered, ShipmentDispatched
from notifications.models import Email, Recipient

Kind = Email.Kind

_DECLINES = {
    "insufficient_funds": "There is not enough money on the card.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The security code does not match the card.",
    "authentication_failed": "Your bank could not confirm that it was you.",
    "authentication_cancelled": "The payment was not approved at your bank.",
}
_REJECTIONS = {
    "out_of_stock": (
        "Sorry, we are sold out",
        "Somebody was quicker: we no longer have every book you ordered, so we have ended the order.",
    ),
    "payment_declined": (
        "We could not take the payment",
        "No card went through in time, so your books are for sale again.",
    ),
    "expired": (
        "Your order has run out of time",
        "The payment did not arrive in time, so your books are for sale again.",
    ),
}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one mail; `shows_order` puts the ordered books below them."""

    subject: str
    headline: str
    paragraphs: tuple[str, ...]
    button: str = "See your order"
    shows_order: bool = False


def placed(recipient: Recipient, _event: OrderPlaced) -> Letter:
    """We have the order."""
    return Letter(
        subject=f"We have your order {recipient.number}",
        headline="We have your order",
        paragraphs=(
            f"Thank you, {recipient.name}. We are setting your books aside and asking your bank for the money.",
            "You can watch every step on the page of your order. We write again once it is paid.",
        ),
        button="Follow your order",
        shows_order=True,
    )


def confirmed(recipient: Recipient, event: OrderConfirmed) -> Letter:
    """It is paid."""
    paid = format_money(amount=event.total, currency=event.currency)
    return Letter(
        subject=f"Your order {recipient.number} is paid",
        headline="Paid, and on our packing table",
        paragraphs=(
            f"Your payment of {paid} has arrived. Thank you, {recipient.name}.",
            "We are packing your books now and write again when they leave.",
        ),
        shows_order=True,
    )


def declined(recipient: Recipient, event: PaymentDeclined) -> Letter:
    """The card was refused."""
    why = _DECLINES.get(event.decline_code, "The bank did not say more than that.")
    return Letter(
        subject=f"Your card was declined: order {recipient.number}",
        headline="Your card was declined",
        paragraphs=(
            f"We could not charge your {event.card.brand} card that ends in {event.card.last4}. {why}",
            "Nothing was charged. We go on holding your books for a little while: you can pay with another card.",
        ),
        button="Pay with another card",
    )


def action_required(recipient: Recipient, _event: PaymentActionRequired) -> Letter:
    """The bank wants to hear from the buyer."""
    return Letter(
        subject=f"Please approve the payment of order {recipient.number}",
        headline="Your bank wants a word with you",
        paragraphs=(
            "Before the payment goes through, your bank asks you to approve it.",
            "If you have done so already, there is nothing left to do.",
        ),
        button="Approve the payment",
    )


def dispatched(recipient: Recipient, event: ShipmentDispatched) -> Letter:
    """The parcel has left."""
    return Letter(
        subject=f"Your parcel is on its way: order {recipient.number}",
        headline="Your parcel is on its way",
        paragraphs=(
            f"{event.carrier} has your books. The tracking number is {event.tracking_number}.",
            f"They should be with you on {_day(event.estimated_delivery_on)}.",
        ),
        shows_order=True,
    )


def delivered(recipient: Recipient, _event: ShipmentDelivered) -> Letter:
    """The parcel is there."""
    return Letter(
        subject=f"Delivered: order {recipient.number}",
        headline="Your books have arrived",
        paragraphs=(
            "Your parcel was handed over. Happy reading.",
            "If something is not as it should be, answer this mail.",
        ),
    )


def rejected(recipient: Recipient, event: OrderRejected) -> Letter:
    """The order ended without a sale."""
    headline, why = _REJECTIONS[event.reason]
    return Letter(
        subject=f"{headline}: order {recipient.number}",
        headline=headline,
        paragraphs=(why, "You pay nothing for this order."),
    )


def cancelled(recipient: Recipient, event: OrderCancelled) -> Letter:
    """The order was called off."""
    by_buyer = event.cancelled_by == "buyer"
    said = "As you asked, we have cancelled your order." if by_buyer else "We had to cancel your order."
    return Letter(
        subject=f"Order {recipient.number} is cancelled",
        headline="Your order is cancelled",
        paragraphs=(
            said,
            "If you have paid already, the money goes back to your card; we write again when it is on its way.",
        ),
    )


def refunded(recipient: Recipient, event: PaymentRefunded) -> Letter:
    """Money went back."""
    amount = format_money(amount=event.amount, currency=event.currency)
    return Letter(
        subject=f"We have sent {amount} back: order {recipient.number}",
        headline="Your money is on its way back",
        paragraphs=(
            f"We have sent {amount} back to the card you paid with.",
            "Banks take a few days until it shows on your statement.",
        ),
    )


LETTERS: dict[type[Event], tuple[Kind, Callable[[Recipient, Any], Letter]]] = {
    OrderPlaced: (Kind.PLACED, placed),
    OrderConfirmed: (Kind.CONFIRMED, confirmed),
    OrderRejected: (Kind.REJECTED, rejected),
    OrderCancelled: (Kind.CANCELLED, cancelled),
    PaymentDeclined: (Kind.DECLINED, declined),
    PaymentActionRequired: (Kind.ACTION_REQUIRED, action_required),
    PaymentRefunded: (Kind.REFUNDED, refunded),
    ShipmentDispatched: (Kind.DISPATCHED, dispatched),
    ShipmentDelivered: (Kind.DELIVERED, delivered),
}


def kind_of(*, event: Event) -> Kind:
    """Return the kind of mail that tells of this event."""
    return LETTERS[type(event)][0]


def write_letter(*, recipient: Recipient, event: Event) -> Letter:
    """Return the words that tell a buyer of this event."""
    return LETTERS[type(event)][1](recipient, event)


def _day(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B}"
