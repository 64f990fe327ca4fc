"""The plain sentences of a timeline."""

_DECLINES = {
    "insufficient_funds": "Your card was declined: there is not enough money on it.",
    "expired_card": "Your card was declined: it has expired.",
    "incorrect_cvc": "Your card was declined: the security code is wrong.",
    "authentication_failed": "Your bank could not confirm that it was you.",
    "authentication_cancelled": "You did not approve the payment at your bank.",
}
_REJECTIONS = {
    "out_of_stock": "Sorry, we could not hold every book you ordered. Nothing was charged.",
    "payment_declined": "We could not take the payment in time, so the books are for sale again.",
    "expired": "The payment did not arrive in time, so the books are for sale again.",
}


def decline_words(*, code: str) -> str:
    """Return why a card was declined, as one tells a buyer."""
    return _DECLINES.get(code, "Your card was declined.")


def rejection_words(*, reason: str) -> str:
    """Return why an order ended without a sale."""
    return _REJECTIONS.get(reason, "This order has ended.")
