"""The plain sentences of a timeline: kept in English, told in the language of whoever reads them."""

import re

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from events.money import translate_money

_DECLINES = {
    "insufficient_funds": _("Your card was declined: there is not enough money on it."),
    "expired_card": _("Your card was declined: it has expired."),
    "incorrect_cvc": _("Your card was declined: the security code is wrong."),
    "authentication_failed": _("Your bank could not confirm that it was you."),
    "authentication_cancelled": _("You did not approve the payment at your bank."),
}
_REJECTIONS = {
    "out_of_stock": _("Sorry, we could not hold every book you ordered. Nothing was charged."),
    "payment_declined": _("We could not take the payment in time, so the books are for sale again."),
    "expired": _("The payment did not arrive in time, so the books are for sale again."),
}
_EVENTS = {
    "orders.order_placed": _("Order placed"),
    "orders.payment_requested": _("Payment asked for"),
    "orders.order_confirmed": _("Order confirmed"),
    "orders.order_advanced": _("Page told of the step"),
    "orders.order_completed": _("Order completed"),
    "orders.order_rejected": _("Order ended without a sale"),
    "orders.order_cancelled": _("Order cancelled"),
    "orders.refund_requested": _("Money asked back"),
    "orders.return_received": _("Books came back"),
    "inventory.stock_reserved": _("Books set aside"),
    "inventory.stock_rejected": _("Too few books on the shelf"),
    "payments.payment_action_required": _("The bank asks the buyer"),
    "payments.payment_captured": _("Payment went through"),
    "payments.payment_declined": _("Card declined"),
    "payments.payment_refunded": _("Money sent back"),
    "shipments.shipment_dispatched": _("Parcel given to the carrier"),
    "shipments.shipment_delivered": _("Parcel delivered"),
}
PLACED = _("We have your order.")
RESERVED = _("We are holding your books for you.")
ACTION_REQUIRED = _("Your bank asks you to approve this payment.")
CONFIRMED = _("Paid: %(amount)s. Thank you.")
REFUNDED = _("We have sent %(amount)s back to your card.")
SHIPPED = _("Your parcel is on its way with %(carrier)s.")
COMPLETED = _("Delivered. Happy reading.")
REFUND_REQUESTED = _("We are sending your money back.")
PAID_TOO_LATE = _("Your payment came through after the order had ended, so we are sending it back.")
PAID_AGAIN = _("You gave us another card; we are charging it.")
CANCELLED_BY_BUYER = _("You cancelled this order.")
CANCELLED_BY_STAFF = _("We cancelled this order.")
RETURN_REQUESTED = _("You asked to send back %(books)s. We look at it and answer here.")
RETURN_APPROVED = _("We take back %(books)s. %(amount)s goes back to your card; please send us the books.")
RETURN_REFUSED = _("Sorry, we cannot take back %(books)s. %(reason)s")
RETURN_RECEIVED = _("Your books are back with us. Thank you for sending them.")
_WITH_BLANKS = (CONFIRMED, REFUNDED, SHIPPED, RETURN_REQUESTED, RETURN_APPROVED, RETURN_REFUSED)


def decline_words(*, code: str) -> str:
    """Return why a card was declined, as one tells a buyer."""
    return _DECLINES.get(code, _("Your card was declined."))


def rejection_words(*, reason: str) -> str:
    """Return why an order ended without a sale."""
    return _REJECTIONS.get(reason, _("This order has ended."))


def event_words(*, event_type: str) -> str:
    """Return what an event says in the active language; its own name where nobody has put it into words."""
    name = event_type.rpartition(".")[0]
    return gettext(_EVENTS[name]) if name in _EVENTS else event_type


def tell(*, text: str) -> str:
    """Return a timeline's sentence in the active language; what is no sentence of ours stays as it is."""
    language = get_language() or "en"
    if language == "en":
        return text
    for sentence, pattern in _PATTERNS:
        if found := pattern.fullmatch(text):
            blanks = found.groupdict()
            if "amount" in blanks:
                blanks["amount"] = translate_money(text=blanks["amount"], language=language)
            return gettext(sentence) % blanks
    return gettext(text)


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL)


_PATTERNS = [(sentence, _pattern(sentence)) for sentence in _WITH_BLANKS]
