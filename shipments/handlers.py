"""The shipments worker: packs what is paid, hands it to the carrier, and hears when it has arrived."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from events import Cause, Event, Outgoing, Received, publish_all
from events.orders import OrderCancelled, OrderConfirmed
from events.shipments import ShipmentDelivered, ShipmentDispatched
from shipments.models import Parcel
from shipments.tracking import CARRIER, new_tracking_number
from workers import Worker

worker = Worker("shipments", dead_letter="hold", gather_ms=100)

_AT_ONCE = 500
_UNSENT = [Parcel.Status.WAITING, Parcel.Status.PACKED]
# By hand: what a parcel holds is many times what changes of it.
_SAVE = """
    UPDATE shipments_parcel AS parcel
    SET status = moved.status, version = moved.version, carrier = moved.carrier,
        tracking_number = moved.tracking_number, estimated_delivery_on = moved.estimated_delivery_on,
        due_at = moved.due_at, packed_at = moved.packed_at, dispatched_at = moved.dispatched_at,
        delivered_at = moved.delivered_at
    FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::text[], %s::text[], %s::date[], %s::timestamptz[],
                %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
        AS moved (id, status, version, carrier, tracking_number, estimated_delivery_on, due_at, packed_at,
                  dispatched_at, delivered_at)
    WHERE parcel.id = moved.id
"""


@worker.on(OrderConfirmed)
def prepare_parcels(events: Sequence[Received[OrderConfirmed]]) -> None:
    """Plan a parcel for each order that is paid."""
    now = timezone.now()
    Parcel.objects.bulk_create([_parcel(event=event, now=now) for event in events], ignore_conflicts=True)


@worker.on(OrderCancelled)
def stop_parcels(events: Sequence[Received[OrderCancelled]]) -> None:
    """Keep the parcels of cancelled orders here, if they have not left."""
    unsent = Parcel.objects.filter(order_id__in=[event.order_id for event in events], status__in=_UNSENT)
    unsent.update(status=Parcel.Status.STOPPED, due_at=None)


@worker.every(seconds=settings.SWEEP_SECONDS)
def move_parcels() -> bool:
    """Take every parcel whose time has come one step further; True when more are due."""
    now = timezone.now()
    due = Parcel.objects.select_for_update(skip_locked=True).filter(due_at__lte=now)
    parcels = list(due.defer("lines", "ship_to").order_by("due_at")[:_AT_ONCE])
    told = [(parcel, _move(parcel=parcel, now=now)) for parcel in parcels]
    _save(parcels=parcels)
    publish_all([_outgoing(parcel=parcel, event=event) for parcel, event in told if event])
    return len(parcels) == _AT_ONCE


def _save(*, parcels: Sequence[Parcel]) -> None:
    if not parcels:
        return
    rows = [
        (
            parcel.id,
            parcel.status,
            parcel.version,
            parcel.carrier,
            parcel.tracking_number,
            parcel.estimated_delivery_on,
            parcel.due_at,
            parcel.packed_at,
            parcel.dispatched_at,
            parcel.delivered_at,
        )
        for parcel in parcels
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, [list(column) for column in zip(*rows, strict=True)])


def _move(*, parcel: Parcel, now: datetime) -> Event | None:
    match parcel.status:
        case Parcel.Status.WAITING:
            _pack(parcel=parcel, now=now)
            return None
        case Parcel.Status.PACKED:
            return _dispatch(parcel=parcel, now=now)
        case _:
            return _deliver(parcel=parcel, now=now)


def _pack(*, parcel: Parcel, now: datetime) -> None:
    parcel.status = Parcel.Status.PACKED
    parcel.packed_at = now
    parcel.due_at = now + timedelta(seconds=settings.DISPATCH_SECONDS)


def _dispatch(*, parcel: Parcel, now: datetime) -> ShipmentDispatched:
    arrives_at = now + timedelta(seconds=settings.TRANSIT_SECONDS)
    parcel.status = Parcel.Status.DISPATCHED
    parcel.version += 1
    parcel.dispatched_at = now
    parcel.carrier = CARRIER
    parcel.tracking_number = new_tracking_number()
    parcel.estimated_delivery_on = arrives_at.date()
    parcel.due_at = arrives_at
    return ShipmentDispatched(
        order_id=parcel.order_id,
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        estimated_delivery_on=arrives_at.date(),
    )


def _deliver(*, parcel: Parcel, now: datetime) -> ShipmentDelivered:
    parcel.status = Parcel.Status.DELIVERED
    parcel.version += 1
    parcel.delivered_at = now
    parcel.due_at = None
    return ShipmentDelivered(
        order_id=parcel.order_id, tracking_number=parcel.tracking_number or "", delivered_at=now
    )


def _parcel(*, event: Received[OrderConfirmed], now: datetime) -> Parcel:
    order = event.data
    return Parcel(
        id=uuid7(),
        order_id=order.order_id,
        order_number=order.number,
        ship_to=msgspec.to_builtins(order.ship_to),
        lines=msgspec.to_builtins(order.lines),
        cause=msgspec.to_builtins(event.cause),
        due_at=now + timedelta(seconds=settings.PACK_SECONDS),
        created_at=now,
    )


def _outgoing(*, parcel: Parcel, event: Event) -> Outgoing:
    return Outgoing(
        event=event,
        aggregate_type="parcel",
        aggregate_id=parcel.id,
        version=parcel.version,
        cause=msgspec.convert(parcel.cause, Cause | None),
    )
