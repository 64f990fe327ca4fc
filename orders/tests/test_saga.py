"""The way of an order, step by step: what each event leads to, and what comes too late."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from uuid_utils.compat import uuid7

from events import Event
from events.inventory import StockRejected, StockReserved
from events.models import OutboxEvent
from events.orders import (
    OrderAdvanced,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderRejected,
    PaymentRequested,
    RefundRequested,
)
from events.payments import PaymentActionRequired, PaymentCaptured, PaymentDeclined, PaymentRefunded
from events.shipments import ShipmentDelivered, ShipmentDispatched
from events.values import Card, Shortage
from orders.models import Order, RefusedTransition
from orders.saga import worker
from orders.services import CannotCancel, CannotPay, CannotRefund, cancel_order, pay_again, request_refund
from orders.tests.conftest import Place
from workers.testing import deliver, published, run_periodic

pytestmark = pytest.mark.django_db

VISA = Card(brand="visa", last4="4242")


def reserved(order: Order) -> StockReserved:
    return StockReserved(
        order_id=order.id, lines=(), hold_expires_at=datetime.now(UTC) + timedelta(minutes=15)
    )


def captured(order: Order) -> PaymentCaptured:
    return PaymentCaptured(
        order_id=order.id, attempt_id=uuid7(), amount=order.total, currency="EUR", card=VISA
    )


def declined(order: Order) -> PaymentDeclined:
    return PaymentDeclined(
        order_id=order.id, attempt_id=uuid7(), decline_code="insufficient_funds", card=VISA
    )


def action_required(order: Order) -> PaymentActionRequired:
    return PaymentActionRequired(
        order_id=order.id, attempt_id=uuid7(), action_url="http://bank.example/3ds/1", card=VISA
    )


def dispatched(order: Order) -> ShipmentDispatched:
    return ShipmentDispatched(
        order_id=order.id,
        carrier="Foxglove Post",
        tracking_number="FX123",
        estimated_delivery_on=date(2030, 1, 2),
    )


def delivered(order: Order) -> ShipmentDelivered:
    return ShipmentDelivered(order_id=order.id, tracking_number="FX123", delivered_at=datetime.now(UTC))


def refunded(order: Order) -> PaymentRefunded:
    return PaymentRefunded(
        order_id=order.id, attempt_id=uuid7(), refund_id=uuid7(), amount=order.total, currency="EUR"
    )


def hear(order: Order, *facts: Event) -> Order:
    """Let the saga hear facts, one after the other; return the order as it then is."""
    for fact in facts:
        deliver(worker, fact)
    order.refresh_from_db()
    return order


def story(order: Order) -> list[str]:
    return list(order.timeline.values_list("type", flat=True))


def told(order: Order) -> Sequence[tuple[str, int]]:
    """The records of the order in the topic `orders`, with their sequence."""
    rows = OutboxEvent.objects.filter(topic="orders", aggregate_id=str(order.id)).order_by("id")
    return [(row.type.split(".")[1], row.aggregate_version) for row in rows]


def test_the_happy_way_is_told_without_a_gap(place: Place) -> None:
    order = place()
    hear(order, reserved(order), captured(order), dispatched(order), delivered(order))

    assert order.status == "completed"
    assert story(order) == ["placed", "reserved", "confirmed", "shipped", "completed"]
    assert told(order) == [
        ("order_placed", 1),
        ("payment_requested", 2),
        ("order_confirmed", 3),
        ("order_advanced", 4),
        ("order_completed", 5),
    ]


def test_the_money_is_asked_for_once_the_stock_is_held(place: Place) -> None:
    order = place()
    hear(order, reserved(order))
    [request] = published(PaymentRequested)
    assert (request.amount, request.payment_method) == (order.total, order.payment_method)


def test_an_order_that_is_short_of_a_book_is_rejected_and_says_which(place: Place) -> None:
    order = place()
    shortage = Shortage(sku="FOX-1", requested=2, available=1)
    hear(order, StockRejected(order_id=order.id, shortages=(shortage,)))

    assert (order.status, order.reason, order.short_skus) == ("rejected", "out_of_stock", ["FOX-1"])
    assert published(OrderRejected)[0].short_skus == ("FOX-1",)


def test_a_declined_card_keeps_the_hold_and_another_card_may_pay(place: Place) -> None:
    order = place()
    hear(order, reserved(order), declined(order))
    assert (order.status, order.decline_code) == ("payment_declined", "insufficient_funds")

    pay_again(token=order.token, payment_method="pm_other")
    hear(order, captured(order))

    assert order.status == "confirmed"
    assert [request.payment_method for request in published(PaymentRequested)] == ["pm_test", "pm_other"]


def test_the_banks_question_waits_for_the_buyer_and_then_goes_either_way(place: Place) -> None:
    approved, refused = place(), place()
    for order in (approved, refused):
        hear(order, reserved(order), action_required(order))
        assert (order.status, order.action_url) == ("action_required", "http://bank.example/3ds/1")

    assert hear(approved, captured(approved)).status == "confirmed"
    assert hear(refused, declined(refused)).status == "payment_declined"


@pytest.mark.parametrize(("last", "reason"), [("declined", "payment_declined"), ("nothing", "expired")])
def test_a_hold_that_runs_out_rejects_the_order(place: Place, last: str, reason: str) -> None:
    order = place()
    hear(order, reserved(order), *([declined(order)] if last == "declined" else []))
    Order.objects.update(hold_expires_at=timezone.now() - timedelta(seconds=1))

    run_periodic(worker)

    order.refresh_from_db()
    assert (order.status, order.reason) == ("rejected", reason)
    assert published(OrderRejected)[0].reason == reason
    with pytest.raises(CannotPay):
        pay_again(token=order.token, payment_method="pm_other")


def test_a_hold_that_still_runs_is_left_alone(place: Place) -> None:
    order = place()
    hear(order, reserved(order))
    run_periodic(worker)
    assert hear(order).status == "reserved"


def test_an_order_may_be_cancelled_until_the_parcel_has_left(place: Place) -> None:
    order = place()
    hear(order, reserved(order), captured(order))
    cancel_order(token=order.token, by="buyer")
    assert hear(order).status == "cancelled"
    assert published(OrderCancelled)[0].cancelled_by == "buyer"

    gone = place()
    hear(gone, reserved(gone), captured(gone), dispatched(gone))
    with pytest.raises(CannotCancel, match="left already"):
        cancel_order(token=gone.token, by="buyer")


def test_money_that_arrives_after_the_end_goes_back(place: Place) -> None:
    order = place()
    hear(order, reserved(order))
    cancel_order(token=order.token, by="buyer")

    hear(order, captured(order), refunded(order))

    assert len(published(RefundRequested)) == 1
    assert (order.status, order.paid_amount, order.refunded_amount) == ("cancelled", order.total, order.total)
    assert story(order)[-2:] == ["refund_requested", "refunded"]


def test_money_of_a_cancelled_order_that_does_not_come_back_is_asked_for_once_more(place: Place) -> None:
    order = place()
    hear(order, reserved(order), captured(order))
    cancel_order(token=order.token, by="buyer")
    run_periodic(worker)
    assert published(RefundRequested) == []

    for _ in range(2):
        Order.objects.update(updated_at=timezone.now() - timedelta(hours=1))
        run_periodic(worker)

    assert [fact.requested_by for fact in published(RefundRequested)] == ["system"]
    hear(order, refunded(order))
    assert order.refunded_amount == order.total


def test_money_comes_back_although_staff_discarded_the_event_that_it_was_paid(place: Place) -> None:
    order = place()
    hear(order, reserved(order))
    cancel_order(token=order.token, by="buyer")

    hear(order, refunded(order))

    assert (order.status, order.paid_amount, order.refunded_amount) == ("cancelled", order.total, order.total)


def test_staff_may_ask_for_a_refund_once(place: Place) -> None:
    order = place()
    hear(order, reserved(order), captured(order))
    request_refund(token=order.token, by="staff", reason="a torn page")
    assert published(RefundRequested)[0].reason == "a torn page"

    with pytest.raises(CannotRefund):
        request_refund(token=order.token, by="staff", reason="again")


def test_nothing_is_refunded_that_was_never_paid(place: Place) -> None:
    with pytest.raises(CannotRefund):
        request_refund(token=place().token, by="staff", reason="")


@pytest.mark.parametrize("late", [reserved, captured, declined, action_required, dispatched, delivered])
def test_what_an_order_cannot_follow_is_refused_and_recorded(place: Place, late: Any) -> None:
    order = place()
    hear(order, reserved(order), captured(order), dispatched(order), delivered(order))
    before = (order.status, order.sequence, story(order), told(order))

    hear(order, late(order))

    assert (order.status, order.sequence, story(order), told(order)) == before
    assert RefusedTransition.objects.get().status == "completed"


def test_a_batch_advances_many_orders_with_a_constant_number_of_queries(
    place: Place, django_assert_max_num_queries: Any
) -> None:
    orders = [place() for _ in range(20)]
    with django_assert_max_num_queries(16):
        deliver(worker, *[reserved(order) for order in orders])
    assert set(Order.objects.values_list("status", flat=True)) == {"reserved"}


def test_an_event_about_an_order_that_is_not_here_changes_nothing(place: Place) -> None:
    order = place()
    stranger = Order(id=uuid7(), total=1)
    deliver(worker, reserved(stranger), reserved(order))
    assert hear(order).status == "reserved"


def test_every_step_that_has_no_event_of_its_own_is_told_as_an_advance(place: Place) -> None:
    order = place()
    hear(order, reserved(order), declined(order))
    assert [(fact.step, fact.status) for fact in published(OrderAdvanced)] == [
        ("payment_declined", "payment_declined")
    ]
    assert published(OrderConfirmed) == []
    assert published(OrderCompleted) == []
