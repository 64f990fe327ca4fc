"""Holding pieces for orders, all or nothing, and letting go of them.

Batches lock the stock rows of all their SKUs at once and in the order of the SKUs; so a product that everybody
wants costs one row lock a batch, and two batches never wait for each other in a circle.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from events import Event, Outgoing, Received, publish_all
from events.inventory import StockRejected, StockReleased, StockReserved
from events.orders import OrderCancelled, OrderPlaced, OrderRejected
from events.values import Line, Shortage
from inventory.arrivals import tell_arrivals
from inventory.models import Reservation, ReservationLine, ReservationStatus, StockItem

Ending = OrderRejected | OrderCancelled

_MOVE = """
    UPDATE inventory_stockitem AS item
    SET available = item.available + moved.quantity
    FROM unnest(%s::text[], %s::int[]) AS moved (sku, quantity)
    WHERE item.sku = moved.sku
"""


def reserve(*, events: Sequence[Received[OrderPlaced]]) -> None:
    """Hold the pieces of each order, first come, first served, or refuse it; publish which.

    An order that has its answer already gets no second one.
    """
    events = _without_answer(events=events)
    shelf = _lock_stock(skus={line.sku for event in events for line in event.data.lines})
    shortages = {event.order_id: _allocate(lines=event.data.lines, shelf=shelf) for event in events}
    held = [event for event in events if not shortages[event.order_id]]
    now = timezone.now()
    reservations = {
        event.order_id: _reservation(event=event, held=not shortages[event.order_id], now=now)
        for event in events
    }
    _move(
        pieces={sku: -count for sku, count in _count(line for one in held for line in one.data.lines).items()}
    )
    Reservation.objects.bulk_create(reservations.values())
    ReservationLine.objects.bulk_create([row for event in held for row in _lines(order=event.data)])
    publish_all(
        [
            _outgoing(
                reservation=reservations[event.order_id],
                told=_answer(
                    order=event.data,
                    reservation=reservations[event.order_id],
                    shortages=shortages[event.order_id],
                ),
                heard=event,
            )
            for event in events
        ]
    )


def release(*, events: Sequence[Received[Ending]]) -> None:
    """Put what these orders hold back on the shelf; an order that holds nothing is left alone."""
    heard = {event.order_id: event for event in events}
    held = Reservation.objects.select_for_update().filter(order_id__in=heard, status=ReservationStatus.HELD)
    reservations = list(held.order_by("order_id").prefetch_related("lines"))
    lines = {one.order_id: _held_lines(reservation=one) for one in reservations}
    back = _count(line for some in lines.values() for line in some)
    tell_arrivals(shelf=_lock_stock(skus=back), arrived=back)
    _move(pieces=back)
    _let_go(reservations=reservations)
    publish_all(
        [
            _outgoing(
                reservation=one,
                told=_released(lines=lines[one.order_id], heard=heard[one.order_id]),
                heard=heard[one.order_id],
            )
            for one in reservations
        ]
    )


def _without_answer(*, events: Sequence[Received[OrderPlaced]]) -> list[Received[OrderPlaced]]:
    known = Reservation.objects.filter(order_id__in=[event.order_id for event in events])
    answered = set(known.values_list("order_id", flat=True))
    return [event for event in events if event.order_id not in answered]


def _lock_stock(*, skus: Collection[str]) -> dict[str, int]:
    rows = StockItem.objects.select_for_update().filter(sku__in=list(skus)).order_by("sku")
    return dict(rows.values_list("sku", "available"))


def _allocate(*, lines: Sequence[Line], shelf: dict[str, int]) -> tuple[Shortage, ...]:
    """Take the lines' pieces off the shelf, or take nothing and return what is short."""
    wanted = _count(lines)
    shortages = tuple(
        Shortage(sku=sku, requested=quantity, available=shelf.get(sku, 0))
        for sku, quantity in wanted.items()
        if shelf.get(sku, 0) < quantity
    )
    if not shortages:
        for sku, quantity in wanted.items():
            shelf[sku] -= quantity
    return shortages


def _move(*, pieces: dict[str, int]) -> None:
    if pieces:
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [list(pieces), list(pieces.values())])


def _count(lines: Iterable[Line]) -> Counter[str]:
    pieces: Counter[str] = Counter()
    for line in lines:
        pieces[line.sku] += line.quantity
    return pieces


def _reservation(*, event: Received[OrderPlaced], held: bool, now: datetime) -> Reservation:
    return Reservation(
        order_id=event.order_id,
        status=ReservationStatus.HELD if held else ReservationStatus.REFUSED,
        hold_expires_at=now + timedelta(seconds=settings.HOLD_SECONDS) if held else None,
        created_at=now,
    )


def _lines(*, order: OrderPlaced) -> list[ReservationLine]:
    return [
        ReservationLine(
            reservation_id=order.order_id,
            position=position,
            stock_item_id=line.sku,
            title=line.title,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        for position, line in enumerate(order.lines, start=1)
    ]


def _held_lines(*, reservation: Reservation) -> tuple[Line, ...]:
    return tuple(
        Line(sku=row.stock_item_id, title=row.title, quantity=row.quantity, unit_price=row.unit_price)
        for row in reservation.lines.all()
    )


def _let_go(*, reservations: Collection[Reservation]) -> None:
    for reservation in reservations:
        reservation.version += 1
    Reservation.objects.filter(order_id__in=[one.order_id for one in reservations]).update(
        status=ReservationStatus.RELEASED, version=F("version") + 1, released_at=timezone.now()
    )


def _answer(*, order: OrderPlaced, reservation: Reservation, shortages: tuple[Shortage, ...]) -> Event:
    if shortages or reservation.hold_expires_at is None:
        return StockRejected(order_id=order.order_id, shortages=shortages)
    return StockReserved(
        order_id=order.order_id, lines=order.lines, hold_expires_at=reservation.hold_expires_at
    )


def _released(*, lines: tuple[Line, ...], heard: Received[Ending]) -> StockReleased:
    cancelled = isinstance(heard.data, OrderCancelled)
    return StockReleased(
        order_id=heard.order_id, lines=lines, reason="cancelled" if cancelled else "rejected"
    )


def _outgoing(*, reservation: Reservation, told: Event, heard: Received[Event]) -> Outgoing:
    return Outgoing(
        event=told,
        aggregate_type="reservation",
        aggregate_id=reservation.order_id,
        version=reservation.version,
        cause=heard.cause,
    )
