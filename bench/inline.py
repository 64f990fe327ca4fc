"""The same purchase without Kafka: one request does everything before it answers, as simple shops do.

The handlers are the shop's own, called one after another within the request; there is no relay, no topic and no
worker. What a handler cannot do now is an error of the request.
"""

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from events.models import OutboxEvent
from events.values import Address, Line
from orders.services import place_order
from workers.record import Record, is_wanted
from workers.testing import deliver_records, run_periodic
from workers.worker import all_workers, find_worker

_AFTER_THE_SALE = 4  # a parcel is planned, packed, dispatched and delivered


@csrf_exempt
def buy(request: HttpRequest) -> HttpResponse:
    """Place the order, and return when it is delivered and every mail is written."""
    wanted: dict[str, Any] = msgspec.json.decode(request.body)
    placed = place_order(
        lines=[Line(sku=line["sku"], title="Bench", quantity=1, unit_price=1000) for line in wanted["lines"]],
        email=wanted["email"],
        ship_to=msgspec.convert(wanted["ship_to"], Address),
        payment_method=wanted["payment_method"],
        currency="EUR",
    )
    for _ in range(_AFTER_THE_SALE):
        _carry_on(order_id=placed.order_id)
        run_periodic(find_worker(name="shipments"))
    _carry_on(order_id=placed.order_id)
    body = msgspec.json.encode({"token": placed.token})
    return HttpResponse(body, status=202, headers={"Content-Length": str(len(body))})


def _carry_on(*, order_id: UUID) -> None:
    while rows := list(OutboxEvent.objects.filter(key=str(order_id).encode()).order_by("id")):
        OutboxEvent.objects.filter(id__in=[row.id for row in rows]).delete()
        for worker in all_workers():
            records = [_record(row=row) for row in rows if is_wanted(worker=worker, event_type=row.type)]
            if records:
                deliver_records(worker, records)


def _record(*, row: OutboxEvent) -> Record:
    return Record(
        topic=row.topic,
        partition=0,
        offset=row.id,
        recorded_at=row.created_at,
        key=bytes(row.key or b""),
        value=bytes(row.payload or b""),
        headers=row.decoded_headers,
    )


urlpatterns = [path("api/v1/orders/", buy)]
