"""From a request to an order: what the shop sells, at the shop's prices. How many are left is inventory's to say."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from events.values import Address, Charges, Line, subtotal_of
from orders.services import PlacedOrder, find_placed_order, place_order
from payments.selectors import payment_method_exists
from shop.apis.problems import Faults
from shop.apis.values import OrderRequest, ShipTo
from shop.coupons import CouponRefused, place_with_coupon, read_code
from shop.selectors import ProductPrice, products_by_sku
from shop.sums import reckon


class CannotOrder(ValueError):
    """Something in the request is not as it must be; `faults` says what, by field. Nothing was ordered."""

    def __init__(self, *, faults: Faults) -> None:
        super().__init__("Correct what is wrong with the order, and send it again.")
        self.faults = faults


class UnknownPaymentMethod(ValueError):
    """There is no such payment method; make one with `POST payment-methods/`."""


def place(*, wanted: OrderRequest, idempotency_key: str | None) -> PlacedOrder:
    """Place the order at today's prices; a request with a key that was served before gets that one's order.

    Raises `CannotOrder`, `orders.services.IdempotencyConflict`, `orders.services.IdempotencyInFlight`.
    """
    products = products_by_sku(skus=[line.sku for line in wanted.lines])
    if faults := _find_faults(wanted=wanted, products=products):
        earlier = _find_earlier(wanted=wanted, idempotency_key=idempotency_key)
        if earlier is None:
            raise CannotOrder(faults=faults)
        return earlier
    lines = [_line(products[line.sku], quantity=line.quantity) for line in wanted.lines]
    order: dict[str, Any] = {
        "lines": lines,
        "email": wanted.email,
        "ship_to": _address(wanted.ship_to),
        "payment_method": wanted.payment_method,
        "currency": products[wanted.lines[0].sku].currency,
        "idempotency_key": idempotency_key,
    }
    if not wanted.coupon:
        return place_order(charges=_charges(wanted=wanted, lines=lines), **order)
    return _place_with_coupon(wanted=wanted, order=order)


def check_payment_method(*, token: str) -> None:
    """Raise `UnknownPaymentMethod` unless the payment method can be charged."""
    if not payment_method_exists(token=token):
        raise UnknownPaymentMethod(
            "There is no such payment method; make one with `POST /api/v1/payment-methods/`."
        )


def _place_with_coupon(*, wanted: OrderRequest, order: dict[str, Any]) -> PlacedOrder:
    try:
        return place_with_coupon(
            code=read_code(text=wanted.coupon),
            subtotal=subtotal_of(lines=order["lines"]),
            country=wanted.ship_to.country,
            method=wanted.shipping_method,
            **order,
        )
    except CouponRefused as refused:
        earlier = _find_earlier(wanted=wanted, idempotency_key=order["idempotency_key"])
        if earlier is None:
            raise CannotOrder(faults={"coupon": [str(refused)]}) from refused
        return earlier


def _find_earlier(*, wanted: OrderRequest, idempotency_key: str | None) -> PlacedOrder | None:
    # What was for sale then may be withdrawn by now; the answer to the same request stays the same.
    if idempotency_key is None:
        return None
    return find_placed_order(
        wanted=[(line.sku, line.quantity) for line in wanted.lines],
        email=wanted.email,
        ship_to=_address(wanted.ship_to),
        payment_method=wanted.payment_method,
        shipping_method=wanted.shipping_method,
        coupon=read_code(text=wanted.coupon),
        idempotency_key=idempotency_key,
    )


def _find_faults(*, wanted: OrderRequest, products: Mapping[str, ProductPrice]) -> Faults:
    faults = _line_faults(wanted=wanted, products=products)
    try:
        validate_email(wanted.email)
    except ValidationError:
        faults["email"] = ["Enter an email address like name@example.com."]
    try:
        check_payment_method(token=wanted.payment_method)
    except UnknownPaymentMethod as unknown:
        faults["payment_method"] = [str(unknown)]
    return faults


def _line_faults(*, wanted: OrderRequest, products: Mapping[str, ProductPrice]) -> Faults:
    faults: Faults = {}
    seen: set[str] = set()
    currencies = {product.currency for product in products.values()}
    for index, line in enumerate(wanted.lines):
        product = products.get(line.sku)
        if product is None or not product.is_active:
            faults[f"lines[{index}].sku"] = ["We do not sell this."]
        elif line.sku in seen:
            faults[f"lines[{index}].sku"] = ["This SKU stands in an earlier line; ask for more pieces there."]
        seen.add(line.sku)
    if len(currencies) > 1:
        faults["lines"] = ["These products are sold in different currencies; order them one by one."]
    return faults


def _line(product: ProductPrice, *, quantity: int) -> Line:
    return Line(sku=product.sku, title=product.title, quantity=quantity, unit_price=product.price_amount)


def _charges(*, wanted: OrderRequest, lines: Sequence[Line]) -> Charges:
    return reckon(
        subtotal=subtotal_of(lines=lines),
        country=wanted.ship_to.country,
        method=wanted.shipping_method,
    )


def _address(ship_to: ShipTo) -> Address:
    return Address(
        name=ship_to.name,
        line1=ship_to.line1,
        line2=ship_to.line2,
        city=ship_to.city,
        postal_code=ship_to.postal_code,
        country=ship_to.country,
    )
