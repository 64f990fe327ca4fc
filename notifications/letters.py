"""What we say to buyers: one short letter for each kind of mail, in plain words and the active language."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from events.declaration import Event
from events.money import format_money
from events.orders import OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected
from events.payments import PaymentActionRequired, PaymentDeclined, PaymentRefunded
from events.shipments import ShipmentDelivered, ShipmentDispatched
from notifications.models import Email, Recipient

Kind = Email.Kind

_DECLINES = {
    "insufficient_funds": gettext_noop("There is not enough money on the card."),
    "expired_card": gettext_noop("The card has expired."),
    "incorrect_cvc": gettext_noop("The security code does not match the card."),
    "authentication_failed": gettext_noop("Your bank could not confirm that it was you."),
    "authentication_cancelled": gettext_noop("The payment was not approved at your bank."),
}
_REJECTIONS = {
    "out_of_stock": (
        gettext_noop("Sorry, we are sold out"),
        gettext_noop(
            "Somebody was quicker: we no longer have every book you ordered, so we have ended the order."
        ),
    ),
    "payment_declined": (
        gettext_noop("We could not take the payment"),
        gettext_noop("No card went through in time, so your books are for sale again."),
    ),
    "expired": (
        gettext_noop("Your order has run out of time"),
        gettext_noop("The payment did not arrive in time, so your books are for sale again."),
    ),
}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one mail; `shows_order` puts the ordered books below them."""

    subject: str
    headline: str
    paragraphs: tuple[str, ...]
    button: str = msgspec.field(default_factory=lambda: _("See your order"))
    shows_order: bool = False


def placed(recipient: Recipient, _event: OrderPlaced) -> Letter:
    """We have the order."""
    return Letter(
        subject=_("We have your order %(number)s") % {"number": recipient.number},
        headline=_("We have your order"),
        paragraphs=(
            _("Thank you, %(name)s. We are setting your books aside and asking your bank for the money.")
            % {"name": recipient.name},
            _("You can watch every step on the page of your order. We write again once it is paid."),
        ),
        button=_("Follow your order"),
        shows_order=True,
    )


def confirmed(recipient: Recipient, event: OrderConfirmed) -> Letter:
    """It is paid."""
    paid = format_money(amount=event.total, currency=event.currency, language=recipient.language)
    return Letter(
        subject=_("Your order %(number)s is paid") % {"number": recipient.number},
        headline=_("Paid, and on our packing table"),
        paragraphs=(
            _("Your payment of %(paid)s has arrived. Thank you, %(name)s.")
            % {"paid": paid, "name": recipient.name},
            _("We are packing your books now and write again when they leave."),
        ),
        shows_order=True,
    )


def declined(recipient: Recipient, event: PaymentDeclined) -> Letter:
    """The card was refused."""
    why = _(_DECLINES.get(event.decline_code, gettext_noop("The bank did not say more than that.")))
    return Letter(
        subject=_("Your card was declined: order %(number)s") % {"number": recipient.number},
        headline=_("Your card was declined"),
        paragraphs=(
            _("We could not charge your %(brand)s card that ends in %(last4)s. %(why)s")
            % {"brand": event.card.brand, "last4": event.card.last4, "why": why},
            _(
                "Nothing was charged. We go on holding your books for a little while: you can pay with another card."
            ),
        ),
        button=_("Pay with another card"),
    )


def action_required(recipient: Recipient, _event: PaymentActionRequired) -> Letter:
    """The bank wants to hear from the buyer."""
    return Letter(
        subject=_("Please approve the payment of order %(number)s") % {"number": recipient.number},
        headline=_("Your bank wants a word with you"),
        paragraphs=(
            _("Before the payment goes through, your bank asks you to approve it."),
            _("If you have done so already, there is nothing left to do."),
        ),
        button=_("Approve the payment"),
    )


def dispatched(recipient: Recipient, event: ShipmentDispatched) -> Letter:
    """The parcel has left."""
    return Letter(
        subject=_("Your parcel is on its way: order %(number)s") % {"number": recipient.number},
        headline=_("Your parcel is on its way"),
        paragraphs=(
            _("%(carrier)s has your books. The tracking number is %(tracking_number)s.")
            % {"carrier": event.carrier, "tracking_number": event.tracking_number},
            _("They should be with you on %(day)s.") % {"day": _day(event.estimated_delivery_on)},
        ),
        shows_order=True,
    )


def delivered(recipient: Recipient, _event: ShipmentDelivered) -> Letter:
    """The parcel is there."""
    return Letter(
        subject=_("Delivered: order %(number)s") % {"number": recipient.number},
        headline=_("Your books have arrived"),
        paragraphs=(
            _("Your parcel was handed over. Happy reading."),
            _("If something is not as it should be, answer this mail."),
        ),
    )


def rejected(recipient: Recipient, event: OrderRejected) -> Letter:
    """The order ended without a sale."""
    headline, why = map(_, _REJECTIONS[event.reason])
    return Letter(
        subject=_("%(headline)s: order %(number)s") % {"headline": headline, "number": recipient.number},
        headline=headline,
        paragraphs=(why, "You pay nothing for this order."),
    )


def cancelled(recipient: Recipient, event: OrderCancelled) -> Letter:
    """The order was called off."""
    by_buyer = event.cancelled_by == "buyer"
    said = _("As you asked, we have cancelled your order.") if by_buyer else _("We had to cancel your order.")
    return Letter(
        subject=_("Order %(number)s is cancelled") % {"number": recipient.number},
        headline=_("Your order is cancelled"),
        paragraphs=(
            said,
            _(
                "If you have paid already, the money goes back to your card; we write again when it is on its way."
            ),
        ),
    )


def refunded(recipient: Recipient, event: PaymentRefunded) -> Letter:
    """Money went back."""
    amount = format_money(amount=event.amount, currency=event.currency, language=recipient.language)
    return Letter(
        subject=_("We have sent %(amount)s back: order %(number)s")
        % {"amount": amount, "number": recipient.number},
        headline=_("Your money is on its way back"),
        paragraphs=(
            _("We have sent %(amount)s back to the card you paid with.") % {"amount": amount},
            _("Banks take a few days until it shows on your statement."),
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
    return f"{date_format(day, 'l')}, {date_format(day, 'MONTH_DAY_FORMAT')}"
