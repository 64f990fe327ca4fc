"""The checkout of a guest: what was filled in so far, and the one call that turns a basket into an order.

The session keeps the address and, of the card, a token with brand and last four digits; never a number.
"""

import secrets
import time
from typing import Any

import msgspec
from django.contrib.sessions.backends.base import SessionBase

from accounts.services import remember_address
from events.values import Address, Charges, Line
from orders.services import IdempotencyConflict, IdempotencyInFlight, PlacedOrder, pay_again, place_order
from orders.services import find_placed_order as find_order_of_key
from payments.services import PaymentMethodValue, tokenize_card
from shop.accounts import account_of
from shop.cart import Cart, Change, Seen, empty_cart, read_cart
from shop.coupons import CouponRefused, place_with_coupon, quote_discount
from shop.shipping import STANDARD, Method, Offer, shipping_offers
from shop.sums import Sums, reckon

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
    shipping_method: Method = STANDARD
    coupon: str = ""
    idempotency_key: str


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What a review page showed: pieces and prices by SKU, and what everything costs (minor units)."""

    seen: dict[str, Seen]
    total: int


def read_checkout(*, session: SessionBase) -> Checkout:
    """Return what was filled in so far; the first call begins a checkout."""
    if _CHECKOUT not in session:
        _write(session=session, checkout=Checkout(idempotency_key=secrets.token_urlsafe(24)))
    return msgspec.convert(session[_CHECKOUT], Checkout)


def remember_delivery(*, session: SessionBase, email: str, ship_to: Address) -> None:
    """Keep the buyer's address for this checkout."""
    _change(session=session, delivery=Delivery(email=email, ship_to=ship_to))


def choose_shipping(*, session: SessionBase, method: Method) -> None:
    """Keep how the parcel shall travel."""
    _change(session=session, shipping_method=method)


def choose_coupon(*, session: SessionBase, code: str) -> None:
    """Keep a coupon's code for this checkout, none for an empty one. Raises `shop.coupons.CouponRefused`."""
    checkout, cart = read_checkout(session=session), read_cart(session=session)
    if code and checkout.delivery:
        quote_discount(code=code, email=checkout.delivery.email, subtotal=cart.total)
    _change(session=session, coupon=code)


def sum_up(*, cart: Cart, checkout: Checkout) -> Sums:
    """Return what the basket costs; delivery and tax are known once the address is."""
    charges = (
        _charges(cart=cart, checkout=checkout, delivery=checkout.delivery) if checkout.delivery else None
    )
    return Sums(
        count=cart.count,
        subtotal=cart.total,
        charges=charges,
        currency=cart.currency,
        refusal=_refusal(cart=cart, checkout=checkout),
    )


def offer_shipping(*, cart: Cart, delivery: Delivery) -> list[Offer]:
    """Return the ways in which the basket can travel there, and their prices."""
    return shipping_offers(country=delivery.ship_to.country, subtotal=cart.total)


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


def write_agreement(*, cart: Cart, total: int) -> str:
    """Return what a review page shows, as the text that its form hands back when the buyer agrees."""
    lines = ",".join(f"{line.sku}:{line.quantity}:{line.unit_price}" for line in cart.orderable)
    return f"{lines}={total}"


def read_agreement(*, text: str) -> Agreement:
    """Return what the buyer agreed to. Raises `ValueError` for a text that no review page wrote."""
    lines, _, total = text.partition("=")
    parts = [part.split(":") for part in lines.split(",")]
    seen = {sku: Seen(int(quantity), int(price)) for sku, quantity, price in parts}
    return Agreement(seen=seen, total=int(total))


def find_placed_order(*, session: SessionBase, idempotency_key: str) -> str:
    """Return the token of the order that this browser has placed with the key, empty when it has not."""
    placed: dict[str, str] = dict(session.get(_PLACED, []))
    return placed.get(idempotency_key, "")


def place_cart(*, session: SessionBase, idempotency_key: str, agreed: Agreement) -> str:
    """Order what lies in the basket and return the order's token; the same key gives the same one order.

    Raises `CheckoutIncomplete` where a step is missing, `CartChanged` where the basket is not what was
    `agreed`.
    """
    checkout, cart = read_checkout(session=session), read_cart(session=session)
    delivery, card = checkout.delivery, checkout.card
    if not delivery or not card or not cart.count or idempotency_key != checkout.idempotency_key:
        raise CheckoutIncomplete("Go through the steps of the checkout again.")
    sums = sum_up(cart=cart, checkout=checkout)
    if sums.charges is None:
        raise CheckoutIncomplete("Say where the parcel goes.")
    _check_agreement(cart=cart, total=sums.total, agreed=agreed)
    buyer_id = account_of(session=session)
    order = _place_once(
        charges=sums.charges,
        subtotal=sums.subtotal,
        method=checkout.shipping_method,
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


def _place_once(*, charges: Charges, subtotal: int, method: Method, **order: Any) -> PlacedOrder:
    """Place the order; where a double click is placing it at this moment, wait for that one."""
    for _ in range(_WAITS_FOR_TWIN):
        try:
            return _place(charges=charges, subtotal=subtotal, method=method, **order)
        except IdempotencyInFlight:
            time.sleep(_WAIT_SECONDS)
        except IdempotencyConflict as error:
            raise CheckoutIncomplete("This checkout has become an order already.") from error
    raise CheckoutIncomplete("This checkout is being turned into an order; look again in a moment.")


def _charges(*, cart: Cart, checkout: Checkout, delivery: Delivery) -> Charges:
    try:
        discount = _quote(cart=cart, code=checkout.coupon, email=delivery.email)
    except CouponRefused:
        discount = 0
    return reckon(
        subtotal=cart.total,
        country=delivery.ship_to.country,
        method=checkout.shipping_method,
        coupon=checkout.coupon if discount else "",
        discount=discount,
    )


def _refusal(*, cart: Cart, checkout: Checkout) -> str:
    if not checkout.delivery:
        return ""
    try:
        _quote(cart=cart, code=checkout.coupon, email=checkout.delivery.email)
    except CouponRefused as refused:
        return str(refused)
    return ""


def _place(*, charges: Charges, subtotal: int, method: Method, **order: Any) -> PlacedOrder:
    if not charges.coupon:
        return place_order(charges=charges, **order)
    try:
        return place_with_coupon(
            code=charges.coupon,
            subtotal=subtotal,
            country=order["ship_to"].country,
            method=method,
            **order,
        )
    except CouponRefused as refused:
        # A double click may have used it up for this very order.
        if earlier := _find_twin(charges=charges, **order):
            return earlier
        raise CartChanged(changes=()) from refused


def _find_twin(
    *, charges: Charges, lines: list[Line], idempotency_key: str, **order: Any
) -> PlacedOrder | None:
    return find_order_of_key(
        wanted=[(line.sku, line.quantity) for line in lines],
        shipping_method=charges.shipping_method,
        coupon=charges.coupon,
        idempotency_key=idempotency_key,
        **{name: order[name] for name in ("email", "ship_to", "payment_method")},
    )


def _quote(*, cart: Cart, code: str, email: str) -> int:
    return quote_discount(code=code, email=email, subtotal=cart.total) if code else 0


def _check_agreement(*, cart: Cart, total: int, agreed: Agreement) -> None:
    shown = {line.sku: Seen(line.quantity, line.unit_price) for line in cart.orderable}
    if agreed != Agreement(seen=shown, total=total):
        raise CartChanged(changes=cart.changes_since(seen=agreed.seen))


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
