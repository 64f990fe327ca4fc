"""Placing an order, and following it. The token is the authorisation: whoever holds it may read, pay and cancel."""

import re

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.views import APIView

from orders.selectors import Entry, OrderPage, OrderPageLine, get_order_page
from orders.services import (
    CannotCancel,
    CannotPay,
    IdempotencyConflict,
    IdempotencyInFlight,
    PlacedOrder,
    cancel_order,
    pay_again,
)
from shop.apis.answers import answer
from shop.apis.documents import describe
from shop.apis.links import absolute, order_links, order_path
from shop.apis.placing import CannotOrder, UnknownPaymentMethod, check_payment_method, place
from shop.apis.problems import Refusal, refuse_fields
from shop.apis.reading import read_body
from shop.apis.throttles import CheckoutThrottle
from shop.apis.values import (
    AcceptedOrder,
    Costs,
    Money,
    OrderedLine,
    OrderEntry,
    OrderRequest,
    Payment,
    PayRequest,
    Shipment,
    ShippingAddress,
    Timeline,
    TimelineItem,
)

_TAG = "Orders"
_KEY = re.compile(r"[!-~]{1,255}")
_LATEST = 2**31 - 1
_ORDER = {
    "lines": [{"sku": "FOX-PRIDE", "quantity": 1}],
    "email": "ada@example.org",
    "ship_to": {
        "name": "Ada Example",
        "line1": "1 Example Street",
        "city": "Exampleton",
        "postal_code": "12345",
        "country": "DE",
    },
    "payment_method": "pm_card_visa",
}


class Orders(APIView):
    """Where orders are placed."""

    throttle_classes = [CheckoutThrottle]

    @describe(
        name="place_order",
        summary="Place an order",
        tag=_TAG,
        takes=OrderRequest,
        example=_ORDER,
        gives=AcceptedOrder,
        status=202,
        refuses={
            409: "An order with this `Idempotency-Key` is being placed; `Retry-After` says when to ask again.",
            422: "Something in the request is not as it must be, or the `Idempotency-Key` has another order.",
        },
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "pattern": "^[!-~]{1,255}$"},
                OpenApiParameter.HEADER,
                description="A key of your own, best a UUID: the same request with the same key is one order,"
                " however often it is sent.",
            ),
            OpenApiParameter(
                "Location",
                str,
                OpenApiParameter.HEADER,
                response=[202],
                description="Where the order can be read.",
            ),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Take the order. Whether every piece is there is found out after the answer: follow its timeline."""
        wanted, key = read_body(request=request, kind=OrderRequest), _read_key(request=request)
        try:
            placed = place(wanted=wanted, idempotency_key=key)
        except CannotOrder as refused:
            raise refuse_fields(refused.faults) from refused
        except IdempotencyConflict as conflict:
            raise Refusal(422, str(conflict), errors={"Idempotency-Key": [str(conflict)]}) from conflict
        except IdempotencyInFlight as in_flight:
            raise Refusal(409, str(in_flight), retry_after=1) from in_flight
        return answer(_placed(placed), status=202, location=absolute(order_path(token=placed.token)))


class Order(APIView):
    """One order."""

    @describe(name="read_order", summary="Read an order", tag=_TAG, gives=OrderEntry)
    def get(self, request: Request, token: str) -> HttpResponse:  # noqa: ARG002
        """Return the order and its whole timeline."""
        return answer(_entry(get_order_page(token=token)))


class OrderTimeline(APIView):
    """The story of one order."""

    @describe(
        name="read_timeline",
        summary="Read what has happened since",
        tag=_TAG,
        gives=Timeline,
        refuses={422: "`after` is not the number of an entry."},
        parameters=[
            OpenApiParameter(
                "after",
                {"type": "integer", "minimum": 0, "maximum": _LATEST, "default": 0},
                description="The number of the last entry known.",
            )
        ],
    )
    def get(self, request: Request, token: str) -> HttpResponse:
        """Return the entries after the one asked for."""
        order = get_order_page(token=token, after=_read_after(request=request))
        timeline = [_item(entry) for entry in order.timeline]
        return answer(Timeline(status=order.status, sequence=order.sequence, timeline=timeline))


class OrderCancellation(APIView):
    """The end of an order that has not left."""

    @describe(
        name="cancel_order",
        summary="Cancel an order",
        tag=_TAG,
        gives=AcceptedOrder,
        status=202,
        refuses={409: "The order can no longer be cancelled; `detail` says why."},
    )
    def post(self, request: Request, token: str) -> HttpResponse:  # noqa: ARG002
        """Cancel the order; money that was taken goes back."""
        try:
            cancel_order(token=token, by="buyer")
        except CannotCancel as refusal:
            raise Refusal(409, str(refusal)) from refusal
        return answer(_accepted(get_order_page(token=token)), status=202)


class OrderPayment(APIView):
    """Another try to pay."""

    throttle_classes = [CheckoutThrottle]

    @describe(
        name="pay_order",
        summary="Pay a declined order with another card",
        tag=_TAG,
        takes=PayRequest,
        gives=AcceptedOrder,
        status=202,
        refuses={409: "The order does not wait for a card; `detail` says why."},
    )
    def post(self, request: Request, token: str) -> HttpResponse:
        """Charge another payment method, while the books are still held."""
        wanted = read_body(request=request, kind=PayRequest)
        try:
            check_payment_method(token=wanted.payment_method)
            pay_again(token=token, payment_method=wanted.payment_method)
        except UnknownPaymentMethod as unknown:
            raise refuse_fields({"payment_method": [str(unknown)]}) from unknown
        except CannotPay as refusal:
            raise Refusal(409, str(refusal)) from refusal
        return answer(_accepted(get_order_page(token=token)), status=202)


def _read_key(*, request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise refuse_fields({"Idempotency-Key": ["Send 1 to 255 visible ASCII characters, best a UUID."]})
    return key


def _read_after(*, request: Request) -> int:
    after = request.query_params.get("after", "0")
    if not (
        after.isascii() and after.isdecimal() and len(after) <= len(str(_LATEST)) and int(after) <= _LATEST
    ):
        raise refuse_fields({"after": ["Send the number of the last entry you know, or 0."]})
    return int(after)


def _placed(order: PlacedOrder) -> AcceptedOrder:
    return AcceptedOrder(
        number=order.number,
        token=order.token,
        status="placed",
        total=Money(amount=order.total, currency=order.currency),
        links=order_links(token=order.token),
    )


def _accepted(order: OrderPage) -> AcceptedOrder:
    return AcceptedOrder(
        number=order.number,
        token=order.token,
        status=order.status,
        total=Money(amount=order.total, currency=order.currency),
        links=order_links(token=order.token, approve_url=order.approve_url),
    )


def _entry(order: OrderPage) -> OrderEntry:
    return OrderEntry(
        number=order.number,
        token=order.token,
        status=order.status,
        reason=order.reason or UNSET,
        sequence=order.sequence,
        total=Money(amount=order.total, currency=order.currency),
        lines=[_line(line, currency=order.currency) for line in order.lines],
        costs=_costs(order),
        ship_to=_ship_to(order),
        payment=_payment(order),
        shipment=_shipment(order),
        timeline=[_item(entry) for entry in order.timeline],
        links=order_links(token=order.token, approve_url=order.approve_url),
    )


def _line(line: OrderPageLine, *, currency: str) -> OrderedLine:
    return OrderedLine(
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        unit_price=Money(amount=line.unit_price, currency=currency),
        total=Money(amount=line.line_total, currency=currency),
    )


def _costs(order: OrderPage) -> Costs:
    charges = order.charges
    return Costs(
        subtotal=_money(order, amount=order.subtotal),
        coupon=charges.coupon,
        discount=_money(order, amount=charges.discount),
        shipping_method=charges.shipping_method,
        shipping=_money(order, amount=charges.shipping),
        tax=_money(order, amount=charges.tax),
        tax_rate=charges.tax_rate,
    )


def _money(order: OrderPage, *, amount: int) -> Money:
    return Money(amount=amount, currency=order.currency)


def _ship_to(order: OrderPage) -> ShippingAddress:
    there = order.ship_to
    return ShippingAddress(
        name=there.name,
        line1=there.line1,
        line2=there.line2,
        city=there.city,
        postal_code=there.postal_code,
        country=there.country,
    )


def _payment(order: OrderPage) -> Payment | None:
    paid = order.payment
    return Payment(brand=paid.brand, last4=paid.last4, status=paid.status) if paid else None


def _shipment(order: OrderPage) -> Shipment | None:
    parcel = order.parcel
    if parcel is None:
        return None
    return Shipment(
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        estimated_delivery_on=parcel.estimated_delivery_on,
    )


def _item(entry: Entry) -> TimelineItem:
    return TimelineItem(sequence=entry.sequence, type=entry.type, at=entry.at, text=entry.text)
