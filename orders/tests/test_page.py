"""The order's page: one read for whoever holds the address, and the one thing a buyer may do there."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from uuid_utils.compat import uuid7

from events.inventory import StockReserved
from events.orders import OrderCancelled
from events.payments import PaymentCaptured
from events.shipments import ShipmentDispatched
from events.values import Card, Line
from orders.models import Order
from orders.saga import worker
from orders.tests.conftest import Place
from workers.testing import deliver, published

pytestmark = pytest.mark.django_db


def reserve(order: Order) -> None:
    expires_at = datetime.now(UTC) + timedelta(minutes=15)
    deliver(worker, StockReserved(order_id=order.id, lines=(), hold_expires_at=expires_at))


def pay(order: Order) -> None:
    card = Card(brand="visa", last4="4242")
    deliver(
        worker,
        PaymentCaptured(order_id=order.id, attempt_id=uuid7(), amount=order.total, currency="EUR", card=card),
    )


def dispatch(order: Order) -> None:
    day = datetime.now(UTC).date()
    deliver(
        worker,
        ShipmentDispatched(
            order_id=order.id, carrier="Foxglove Post", tracking_number="FX1", estimated_delivery_on=day
        ),
    )


def page(client: Client, order: Order) -> Any:
    return client.get(f"/orders/{order.token}/")


def timeline(client: Client, order: Order, after: Any) -> Any:
    return client.get(f"/orders/{order.token}/timeline/", {"after": after})


def shown(answer: Any) -> list[int]:
    """The sequences of the timeline entries in an answer."""
    return [int(number) for number in re.findall(r'<li data-sequence="(\d+)"', answer.content.decode())]


def test_the_page_tells_the_whole_story(client: Client, place: Place) -> None:
    order = place()
    reserve(order)
    pay(order)

    answer = page(client, order)

    assert answer.status_code == 200
    assert shown(answer) == [1, 2, 3]
    assert order.number in answer.content.decode()


@pytest.mark.parametrize("path", ["", "timeline/"])
def test_nothing_keeps_or_finds_what_is_at_the_address(client: Client, place: Place, path: str) -> None:
    answer = client.get(f"/orders/{place().token}/{path}")
    assert (answer["Cache-Control"], answer["X-Robots-Tag"]) == ("no-store", "noindex")


@pytest.mark.parametrize("path", ["", "timeline/"])
def test_a_strangers_guess_finds_nothing(client: Client, place: Place, path: str) -> None:
    order = place()
    for guess in (order.number, str(order.id), order.token[:-1]):
        assert client.get(f"/orders/{guess}/{path}").status_code == 404


def test_a_page_shows_no_more_of_the_story_than_its_number_says(client: Client, place: Place) -> None:
    order = place()
    reserve(order)
    Order.objects.filter(id=order.id).update(sequence=1)  # as read a moment before the step
    assert shown(page(client, order)) == [1]


def test_a_page_that_missed_steps_gets_just_those(client: Client, place: Place) -> None:
    order = place()
    reserve(order)
    pay(order)
    assert shown(timeline(client, order, after=1)) == [2, 3]


def test_a_page_that_missed_nothing_gets_nothing(client: Client, place: Place) -> None:
    answer = timeline(client, place(), after=1)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("after", ["", "-1", "x", "9" * 40, "²"])
def test_an_after_that_is_no_number_means_from_the_beginning(
    client: Client, place: Place, after: str
) -> None:
    assert shown(timeline(client, place(), after=after)) == [1]


def test_reading_costs_the_same_however_long_the_story_is(
    client: Client, place: Place, django_assert_max_num_queries: Any
) -> None:
    order = place(
        lines=[Line(sku=f"FOX-{n}", title=f"Book {n}", quantity=1, unit_price=100) for n in range(20)]
    )
    reserve(order)
    pay(order)
    with django_assert_max_num_queries(3):
        page(client, order)


def test_a_buyer_cancels_and_sees_it(client: Client, place: Place) -> None:
    order = place()
    answer = client.post(f"/orders/{order.token}/cancel/")

    assert (answer.status_code, answer["Location"]) == (303, f"/orders/{order.token}/")
    assert [told.cancelled_by for told in published(OrderCancelled)] == ["buyer"]
    assert "cancelled" in page(client, order).content.decode()


def test_cancelling_too_late_says_why_not(client: Client, place: Place) -> None:
    order = place()
    reserve(order)
    pay(order)
    dispatch(order)

    answer = client.post(f"/orders/{order.token}/cancel/", follow=True)

    assert "The parcel has left already" in answer.content.decode()
    assert published(OrderCancelled) == []


def test_a_link_cannot_cancel(client: Client, place: Place) -> None:
    order = place()
    assert client.get(f"/orders/{order.token}/cancel/").status_code == 405


def test_a_form_of_another_site_cannot_cancel(place: Place) -> None:
    order = place()
    client = Client(enforce_csrf_checks=True)
    assert client.post(f"/orders/{order.token}/cancel/").status_code == 403
    assert published(OrderCancelled) == []


def test_what_a_buyer_wrote_is_shown_as_text(client: Client, place: Place) -> None:
    evil = "<img src=x onerror=alert(1)>"
    order = place(lines=[Line(sku="FOX-1", title=evil, quantity=1, unit_price=100)], email="a@example.org")
    assert evil not in page(client, order).content.decode()
