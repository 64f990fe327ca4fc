"""What others may know of an order: frozen values, read by its token."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet

from events.values import Address, Charges
from orders.models import Order, TimelineEntry
from orders.rules import (
    can_cancel,
    can_pay,
    can_return,
    has_ended,
    is_final,
    is_late,
    pieces_to_return,
    returning,
)
from orders.travel import Travel, travel
from orders.words import tell


class OrderNotFound(LookupError):
    """No order has this token or id."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the order's story; `text` is in English, as the timeline keeps it."""

    sequence: int
    type: str
    text: str
    at: datetime

    @property
    def told(self) -> str:
        """The text in the language of the page."""
        return tell(text=self.text)


class OrderPageLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line as the buyer sees it; amounts in minor units."""

    sku: str
    title: str
    quantity: int
    unit_price: int
    line_total: int
    is_short: bool


class PaymentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The card and what became of the charge: pending, action_required, captured, declined or refunded."""

    brand: str
    last4: str
    status: str


class ParcelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parcel is."""

    carrier: str
    tracking_number: str
    estimated_delivery_on: date | None


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the order's page and the API show. `sequence` is the latest entry's number."""

    order_id: UUID
    number: str
    token: str
    status: str
    reason: str
    sequence: int
    placed_at: datetime
    email: str
    currency: str
    lines: tuple[OrderPageLine, ...]
    subtotal: int
    charges: Charges
    total: int
    ship_to: Address
    payment: PaymentSummary | None
    parcel: ParcelSummary | None
    timeline: tuple[Entry, ...]
    travel: Travel
    can_cancel: bool
    can_pay: bool
    can_return: bool
    returning: str
    hold_expires_at: datetime | None
    approve_url: str
    is_late: bool
    is_final: bool
    live_url: str


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a list shows it; `total` in minor units."""

    number: str
    token: str
    status: str
    reason: str
    placed_at: datetime
    total: int
    currency: str
    titles: tuple[str, ...]
    returning: str
    has_ended: bool


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of an account's orders, newest first; `page` counts from 1."""

    orders: tuple[OrderSummary, ...]
    page: int
    page_count: int

    @property
    def moving(self) -> tuple[OrderSummary, ...]:
        """The orders on this page that have not ended."""
        return tuple(order for order in self.orders if not order.has_ended)


class ReturnableLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of which at most `most` pieces can be sent back; `unit_price` in minor units."""

    position: int
    sku: str
    title: str
    unit_price: int
    most: int


class LiveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a socket needs to know."""

    order_id: UUID
    number: str
    sequence: int


def get_order_page(*, token: str, after: int = 0) -> OrderPage:
    """Return the order with the timeline entries after `after`; raises `OrderNotFound`."""
    order = _find(token=token)
    sent_back = returning(order=order)
    # What was told since the order was read is news: a page that shows more than its number says is told it twice.
    entries = order.timeline.filter(sequence__lte=order.sequence).order_by("sequence")
    return OrderPage(
        order_id=order.id,
        number=order.number,
        token=order.token,
        status=order.status,
        reason=order.reason,
        sequence=order.sequence,
        placed_at=order.placed_at,
        email=order.email,
        currency=order.currency,
        lines=_lines(order=order),
        subtotal=order.subtotal,
        charges=_charges(order=order),
        total=order.total,
        ship_to=msgspec.convert(order.ship_to, Address),
        payment=_payment(order=order),
        parcel=_parcel(order=order),
        timeline=tuple(_entry(entry=entry) for entry in entries if entry.sequence > after),
        travel=travel(entries=entries),
        can_cancel=can_cancel(order=order),
        can_pay=can_pay(order=order),
        can_return=can_return(order=order),
        returning=sent_back,
        hold_expires_at=order.hold_expires_at,
        approve_url=order.action_url if order.status == Order.Status.ACTION_REQUIRED else "",
        is_late=is_late(order=order),
        is_final=is_final(order=order, returning=sent_back),
        live_url=f"{settings.LIVE_URL}/ws/orders/{order.token}/",
    )


def list_orders(*, buyer_id: int, page: int = 1, page_size: int = 10) -> OrderList:
    """Return the orders of an account, newest first; a page past the last is the last. Four queries."""
    rows = Order.objects.filter(buyer_id=buyer_id).order_by("-placed_at").prefetch_related("lines", "returns")
    found = Paginator(rows, page_size).get_page(page)
    return OrderList(
        orders=tuple(_summary(order=order) for order in found),
        page=found.number,
        page_count=found.paginator.num_pages,
    )


def returnable_lines(*, token: str) -> tuple[ReturnableLine, ...]:
    """Return what of an order can be sent back, empty when nothing can; raises `OrderNotFound`."""
    order = _find(token=token)
    left = pieces_to_return(order=order)
    return tuple(
        ReturnableLine(
            position=line.position,
            sku=line.sku,
            title=line.title,
            unit_price=line.unit_price,
            most=left[line.position],
        )
        for line in order.lines.filter(position__in=left).order_by("position")
    )


def has_received(*, buyer_id: int, sku: str) -> bool:
    """Say whether an order of this account with this product has been delivered."""
    return Order.objects.filter(buyer_id=buyer_id, status=Order.Status.COMPLETED, lines__sku=sku).exists()


def find_token(*, number: str, email: str) -> str:
    """Return the token of the order with this number, placed with this address; raises `OrderNotFound`.

    Whether the number or the address is wrong makes no difference that a caller could see.
    """
    token = Order.objects.filter(number=number.strip().upper(), email__iexact=email).values_list(
        "token", flat=True
    )
    if not token:
        raise OrderNotFound("There is no order with this number and email address.")
    return token[0]


def get_live_order(*, token: str) -> LiveOrder:
    """Return the order's id, number and latest sequence; raises `OrderNotFound`."""
    found = _by_token(token=token).values_list("id", "number", "sequence").first()
    if found is None:
        raise OrderNotFound("There is no such order.")
    order_id, number, sequence = found
    return LiveOrder(order_id=order_id, number=number, sequence=sequence)


def token_of(*, order_id: UUID) -> str:
    """Return the token of the order with this id; raises `OrderNotFound`."""
    token = Order.objects.filter(id=order_id).values_list("token", flat=True).first()
    if token is None:
        raise OrderNotFound("There is no such order.")
    return token


def _find(*, token: str) -> Order:
    order = _by_token(token=token).first()
    if order is None:
        raise OrderNotFound("There is no such order.")
    return order


def _by_token(*, token: str) -> QuerySet[Order]:
    return Order.objects.filter(token=token) if "\x00" not in token else Order.objects.none()


def _summary(*, order: Order) -> OrderSummary:
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    return OrderSummary(
        number=order.number,
        token=order.token,
        status=order.status,
        reason=order.reason,
        placed_at=order.placed_at,
        total=order.total,
        currency=order.currency,
        titles=tuple(line.title for line in lines),
        returning=returning(order=order),
        has_ended=has_ended(order=order),
    )


def _lines(*, order: Order) -> tuple[OrderPageLine, ...]:
    return tuple(
        OrderPageLine(
            sku=line.sku,
            title=line.title,
            quantity=line.quantity,
            unit_price=line.unit_price,
            line_total=line.quantity * line.unit_price,
            is_short=line.sku in order.short_skus,
        )
        for line in order.lines.order_by("position")
    )


def _charges(*, order: Order) -> Charges:
    return Charges(
        shipping_method=order.shipping_method,
        shipping=order.shipping,
        coupon=order.coupon,
        discount=order.discount,
        tax_rate=order.tax_rate,
        tax=order.tax,
    )


def _payment(*, order: Order) -> PaymentSummary | None:
    if not order.card_last4:
        return None
    return PaymentSummary(brand=order.card_brand, last4=order.card_last4, status=_payment_status(order=order))


def _payment_status(*, order: Order) -> str:
    if order.refunded_amount and order.refunded_amount == order.paid_amount:
        return "refunded"
    if order.paid_amount:
        return "captured"
    if order.decline_code:
        return "declined"
    return "action_required" if order.action_url else "pending"


def _parcel(*, order: Order) -> ParcelSummary | None:
    if not order.tracking_number:
        return None
    return ParcelSummary(
        carrier=order.carrier,
        tracking_number=order.tracking_number,
        estimated_delivery_on=order.estimated_delivery_on,
    )


def _entry(*, entry: TimelineEntry) -> Entry:
    return Entry(sequence=entry.sequence, type=entry.type, text=entry.text, at=entry.at)
