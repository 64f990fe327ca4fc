"""An event is published exactly when the change it tells of is committed."""

from typing import Any

import msgspec
import pytest
from django.db import transaction
from uuid_utils.compat import uuid7

from events import Cause, publish
from events.models import OutboxEvent
from events.orders import OrderAdvanced, OrderCompleted
from events.outbox import NotInTransaction


def _fact() -> OrderAdvanced:
    return OrderAdvanced(order_id=uuid7(), number="WB-TEST-0001", step="packed", status="confirmed")


def _publish(fact: OrderAdvanced, cause: Cause | None = None) -> None:
    publish(fact, aggregate_type="order", aggregate_id=fact.order_id, version=3, cause=cause)


@pytest.mark.django_db
def test_publishing_outside_a_transaction_is_refused_even_inside_a_test_case() -> None:
    with pytest.raises(NotInTransaction):
        _publish(_fact())


@pytest.mark.django_db
def test_the_row_carries_the_event_its_key_and_its_aggregate() -> None:
    fact = _fact()
    with transaction.atomic():
        _publish(fact)

    row = OutboxEvent.objects.get()
    assert bytes(row.key or b"") == str(fact.order_id).encode()
    assert (row.topic, row.type) == ("orders", "orders.order_advanced.v1")
    assert (row.aggregate_type, row.aggregate_id, row.aggregate_version) == ("order", str(fact.order_id), 3)
    assert msgspec.json.decode(bytes(row.payload or b""), type=OrderAdvanced) == fact


@pytest.mark.django_db
def test_events_of_one_order_share_a_shard() -> None:
    fact = _fact()
    with transaction.atomic():
        _publish(fact)
        _publish(fact)

    assert len(set(OutboxEvent.objects.values_list("shard", flat=True))) == 1


@pytest.mark.django_db
def test_an_event_names_the_one_that_led_to_it_and_stays_in_its_trace() -> None:
    cause = Cause(
        id=uuid7(),
        correlation_id="the first",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    with transaction.atomic():
        _publish(_fact(), cause=cause)

    headers: dict[str, Any] = dict(OutboxEvent.objects.get().decoded_headers)
    assert headers["causationid"] == str(cause.id).encode()
    assert headers["correlationid"] == b"the first"
    assert headers["traceparent"].startswith(b"00-0af7651916cd43dd8448eb211c80319c-")
    assert b"b7ad6b7169203331" not in headers["traceparent"]


@pytest.mark.django_db
def test_an_event_that_breaks_its_schema_is_refused() -> None:
    broken = OrderCompleted(order_id=uuid7(), number="WB-TEST-0001", lines=(), total=-1, currency="EUR")
    with pytest.raises(msgspec.ValidationError, match="total"), transaction.atomic():
        publish(broken, aggregate_type="order", aggregate_id=broken.order_id, version=1)
