"""A parcel's way from the packing table to the door, through the worker and the real database."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from uuid_utils.compat import uuid7

from events.models import OutboxEvent
from events.orders import OrderCancelled, OrderConfirmed
from events.shipments import ShipmentDelivered, ShipmentDispatched
from events.values import Address, Line
from shipments.handlers import worker
from shipments.models import Parcel
from shipments.selectors import ParcelValue, parcel_of_order
from shipments.tracking import check_digit
from workers.testing import deliver, deliver_records, published, record_of, run_periodic

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def slow_post(settings: Any) -> None:
    """Let an hour pass between any two steps, so that a test says when time passes."""
    settings.PACK_SECONDS = settings.DISPATCH_SECONDS = settings.TRANSIT_SECONDS = 3600


def confirmed() -> OrderConfirmed:
    return OrderConfirmed(
        order_id=uuid7(),
        number="WB-7K3M-9QXD",
        lines=(Line(sku="EMMA", title="Emma", quantity=2, unit_price=1240),),
        total=2480,
        currency="EUR",
        ship_to=Address(
            name="Ada", line1="12 St James's Square", city="London", postal_code="SW1", country="GB"
        ),
    )


def cancelled(order: OrderConfirmed) -> OrderCancelled:
    return OrderCancelled(order_id=order.order_id, number=order.number, cancelled_by="buyer")


def parcel_of(order: OrderConfirmed) -> ParcelValue:
    parcel = parcel_of_order(order_id=order.order_id)
    assert parcel is not None
    return parcel


def an_hour_passes() -> None:
    Parcel.objects.update(due_at=F("due_at") - timedelta(hours=1))
    run_periodic(worker)


def test_a_paid_order_becomes_a_parcel_that_waits_its_time():
    order = confirmed()
    deliver(worker, order)
    run_periodic(worker)
    assert parcel_of(order).status == "waiting"


def test_an_order_that_is_not_paid_has_no_parcel():
    assert parcel_of_order(order_id=uuid7()) is None


def test_a_parcel_is_packed_sent_and_delivered_each_in_its_time():
    order = confirmed()
    deliver(worker, order)
    steps = []
    for _hour in range(4):
        an_hour_passes()
        steps.append(parcel_of(order).status)
    assert steps == ["packed", "dispatched", "delivered", "delivered"]


def test_the_carrier_and_the_tracking_number_are_told_when_the_parcel_leaves():
    order = confirmed()
    deliver(worker, order)
    an_hour_passes()
    assert published(ShipmentDispatched) == []
    an_hour_passes()

    [left] = published(ShipmentDispatched)
    assert (left.order_id, left.carrier) == (order.order_id, "Foxglove Post")
    assert left.tracking_number == parcel_of(order).tracking_number
    assert left.estimated_delivery_on == (timezone.now() + timedelta(hours=1)).date()


def test_the_delivery_is_told_with_its_time():
    order = confirmed()
    deliver(worker, order)
    for _hour in range(3):
        an_hour_passes()
    [arrived] = published(ShipmentDelivered)
    assert arrived.tracking_number == parcel_of(order).tracking_number
    assert arrived.delivered_at == parcel_of(order).delivered_at


def test_every_step_is_told_once_however_long_time_goes_on():
    deliver(worker, confirmed())
    for _hour in range(6):
        an_hour_passes()
    assert len(published(ShipmentDispatched)) == len(published(ShipmentDelivered)) == 1


@pytest.mark.parametrize(("hours", "was"), [(0, "waiting"), (1, "packed")])
def test_the_parcel_of_a_cancelled_order_stays_here_for_good(hours, was):
    order = confirmed()
    deliver(worker, order)
    for _hour in range(hours):
        an_hour_passes()
    assert parcel_of(order).status == was

    deliver(worker, cancelled(order))
    for _hour in range(4):
        an_hour_passes()
    assert parcel_of(order).status == "stopped"
    assert published(ShipmentDispatched) == []


def test_the_database_itself_keeps_a_stopped_parcel_from_moving():
    order = confirmed()
    deliver(worker, order, cancelled(order))
    with pytest.raises(IntegrityError, match="a_parcel_at_rest_has_no_next_step"), transaction.atomic():
        Parcel.objects.update(due_at=timezone.now())


def test_a_parcel_that_has_left_is_not_called_back():
    order = confirmed()
    deliver(worker, order)
    an_hour_passes()
    an_hour_passes()
    deliver(worker, cancelled(order))
    an_hour_passes()
    assert parcel_of(order).status == "delivered"


def test_an_order_that_is_confirmed_again_gets_no_second_parcel():
    order = confirmed()
    deliver(worker, order)
    an_hour_passes()
    deliver(worker, order)
    assert Parcel.objects.count() == 1
    assert parcel_of(order).status == "packed"


def test_an_order_confirmed_and_cancelled_in_one_batch_is_never_packed():
    order = confirmed()
    deliver(worker, order, cancelled(order))
    an_hour_passes()
    assert parcel_of(order).status == "stopped"


def test_what_a_parcel_tells_belongs_to_the_story_that_the_order_began():
    record = record_of(confirmed())
    deliver_records(worker, [record])
    for _hour in range(3):
        an_hour_passes()
    told: list[dict[str, Any]] = [dict(row.decoded_headers) for row in OutboxEvent.objects.order_by("id")]
    assert [headers["correlationid"].decode() for headers in told] == [record.header("correlationid")] * 2
    assert [headers["causationid"].decode() for headers in told] == [record.header("ce_id")] * 2


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size():
    assert _cost(orders=2) == _cost(orders=60)


def _cost(*, orders: int) -> int:
    Parcel.objects.all().delete()
    with CaptureQueriesContext(connection) as queries:
        deliver(worker, *(confirmed() for _ in range(orders)))
        Parcel.objects.update(due_at=timezone.now())
        run_periodic(worker)
    return len(queries)


def test_a_slip_of_the_pen_in_a_tracking_number_is_noticed():
    deliver(worker, confirmed())
    an_hour_passes()
    an_hour_passes()
    digits = published(ShipmentDispatched)[0].tracking_number.removeprefix("FX")
    assert check_digit(digits=digits[:-1]) == int(digits[-1])
    slip = str((int(digits[0]) + 1) % 10) + digits[1:-1]
    assert check_digit(digits=slip) != int(digits[-1])
