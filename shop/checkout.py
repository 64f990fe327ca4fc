"""The checkout of a guest: what was filled in so far, and the one call that turns a basket into an order.

The session keeps the address and, of the card, a token with brand and last four digits; never a number.
"""

import secrets
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from django.contrib.sessions.backends.base import SessionBase

from accounts.services import remember_address
from events.values import Address, Line
from orders.services import IdempotencyConflict, IdempotencyInFlight, PlacedOrder, pay_again, place_order
from payments.services import PaymentMethodValue, tokenize_card
from shop.accounts import account_of
from shop.cart import Cart, Change, Seen, empty_cart, read_cart

_CHECKOUT = "checkout"
_PLACED = "placed_orders"
_REMEMBERED_ORDERS = 5
_WAITS_FOR_TWIN = 20
_WAIT_SECONDS = 0.1


class CartChanged(ValueError):
    """The basket is not what the buyer agreed to; show the changes and ask again. Nothing was ordered."""

    def __init__(self, *, changes: tuple[Change, ...]) -> None:
        super().__init__("The basket has changed since you saw it; look at it again before you order.")
        self.changes = changes


class CheckoutIncomplete(ValueError):
    """Something is missing before an order can be placed; send the buyer to that step."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Who to write to and where the parcel goes."""

    email: str
    ship_to: Address


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """How far a buyer has come. The key is that of the one order this checkout can become."""

    delivery: Delivery | None = None
    card: PaymentMethodValue | None = None
    idempotency_key: str


def read_checkout(*, session: SessionBase) -> Checkout:
    """Return what was filled in so far; the first call begins a checkout."""
    if _CHECKOUT not in session:
        _write(session=session, checkout=Checkout(idempotency_key=secrets.token_urlsafe(24)))
    return msgspec.convert(session[_CHECKOUT], Checkout)


def remember_delivery(*, session: SessionBase, email: str, ship_to: Address) -> None:
    """Keep the buyer's address for this checkout."""
    _change(session=session, delivery=Delivery(email=email, ship_to=ship_to))


def remember_card(
    *, session: SessionBase, number: str, expiry_month: int, expiry_year: int, cvc: str
) -> None:
    """Turn the card into a token and keep that.

    Raises `payments.services.CardRefused`, `payments.services.PaymentsUnavailable`.
    """
    card = tokenize_card(number=number, expiry_month=expiry_month, expiry_year=expiry_year, cvc=cvc)
    _change(session=session, card=card)


def pay_with_card(*, order_token: str, number: str, expiry_month: int, expiry_year: int, cvc: str) -> None:
    """Pay a declined order with another card.

    Raises `payments.services.CardRefused`, `payments.services.PaymentsUnavailable` and
    `orders.services.CannotPay`.
    """
    card = tokenize_card(number=number, expiry_month=expiry_month, expiry_year=expiry_year, cvc=cvc)
    pay_again(token=order_token, payment_method=card.id)


def write_agreement(*, cart: Cart) -> str:
    """Return what a review page shows, as the text that its form hands back when the buyer agrees."""
    return ",".join(f"{line.sku}:{line.quantity}:{line.unit_price}" for line in cart.orderable)


def read_agreement(*, text: str) -> dict[str, Seen]:
    """Return what the buyer agreed to, by SKU. Raises `ValueError` for a text that no review page wrote."""
    parts = [part.split(":") for part in text.split(",")]
    return {sku: Seen(int(quantity), int(price)) for sku, quantity, price in parts}


def find_placed_order(*, session: SessionBase, idempotency_key: str) -> str:
    """Return the token of the order that this browser has placed with the key, empty when it has not."""
    placed: dict[str, str] = dict(session.get(_PLACED, []))
    return placed.get(idempotency_key, "")


def place_cart(*, session: SessionBase, idempotency_key: str, agreed: Mapping[str, Seen]) -> str:
    """Order what lies in the basket and return the order's token; the same key gives the same one order.

    Raises `CheckoutIncomplete` where a step is missing, `CartChanged` where the basket is not what was
    `agreed`.
    """
    checkout, cart = read_checkout(session=session), read_cart(session=session)
    delivery, card = checkout.delivery, checkout.card
    if not delivery or not card or not cart.count or idempotency_key != checkout.idempotency_key:
        raise CheckoutIncomplete("Go through the steps of the checkout again.")
    _check_agreement(cart=cart, agreed=agreed)
    buyer_id = account_of(session=session)
    order = _place_once(
        buyer_id=buyer_id,
        lines=_order_lines(cart=cart),
        email=delivery.email,
        ship_to=delivery.ship_to,
        payment_method=card.id,
        currency=cart.currency,
        idempotency_key=idempotency_key,
    )
    if buyer_id:
        remember_address(user_id=buyer_id, ship_to=delivery.ship_to)
    _end_checkout(session=session, idempotency_key=idempotency_key, token=order.token)
    return order.token


def _place_once(**order: Any) -> PlacedOrder:
    """Place the order; where a double click is placing it at this moment, wait for that one."""
    for _ in range(_WAITS_FOR_TWIN):
        try:
            return place_order(**order)
        except IdempotencyInFlight:
            time.sleep(_WAIT_SECONDS)
        except IdempotencyConflict as error:
            raise CheckoutIncomplete("This checkout has become an order already.") from error
    raise CheckoutIncomplete("This checkout is being turned into an order; look again in a moment.")


def _check_agreement(*, cart: Cart, agreed: Mapping[str, Seen]) -> None:
    if agreed != {line.sku: Seen(line.quantity, line.unit_price) for line in cart.orderable}:
        raise CartChanged(changes=cart.changes_since(seen=agreed))


def _order_lines(*, cart: Cart) -> list[Line]:
    return [
        Line(sku=line.sku, title=line.title, quantity=line.quantity, unit_price=line.unit_price)
        for line in cart.orderable
    ]


def _end_checkout(*, session: SessionBase, idempotency_key: str, token: str) -> None:
    placed = [*session.get(_PLACED, []), [idempotency_key, token]]
    session[_PLACED] = placed[-_REMEMBERED_ORDERS:]
    session.pop(_CHECKOUT, None)
    empty_cart(session=session)


def _change(*, session: SessionBase, **values: Any) -> None:
    checkout = read_checkout(session=session)
    _write(session=session, checkout=msgspec.structs.replace(checkout, **values))


def _write(*, session: SessionBase, checkout: Checkout) -> None:
    session[_CHECKOUT] = msgspec.to_builtins(checkout)
