"""Placing an order: one short transaction, and never the same order twice."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from events.orders import OrderCancelled, OrderPlaced
from events.values import Line
from orders.models import Order, TimelineEntry
from orders.placing import insert_order
from orders.services import (
    IdempotencyConflict,
    IdempotencyInFlight,
    PlacedOrder,
    find_placed_order,
    place_order,
)
from orders.tests.conftest import LINES, wish
from workers.testing import published


@pytest.mark.django_db
def test_an_order_its_story_and_its_event_exist_together() -> None:
    placed = place_order(**wish())

    order = Order.objects.get(number=placed.number)
    assert (order.status, order.sequence, order.total) == ("placed", 1, 2400)
    assert [entry.type for entry in order.timeline.all()] == ["placed"]
    [told] = published(OrderPlaced)
    assert (told.order_id, told.number, told.total, told.lines) == (
        order.id,
        order.number,
        2400,
        tuple(LINES),
    )


@pytest.mark.django_db
def test_the_number_is_for_people_and_the_token_cannot_be_guessed() -> None:
    placed = place_order(**wish())
    assert re.fullmatch(r"WB-[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", placed.number)
    assert len(placed.token) >= 22  # 128 bits in base64 take 22 letters


@pytest.mark.django_db
def test_the_same_request_with_the_same_key_is_the_same_order() -> None:
    first = place_order(**wish(idempotency_key="one"))
    dearer = [Line(sku="FOX-1", title="One", quantity=2, unit_price=1300)]
    assert place_order(**wish(idempotency_key="one", lines=dearer)) == first
    assert len(published(OrderPlaced)) == 1


@pytest.mark.django_db
def test_another_request_with_the_same_key_is_refused() -> None:
    place_order(**wish(idempotency_key="one"))
    with pytest.raises(IdempotencyConflict):
        place_order(**wish(idempotency_key="one", email="someone@example.org"))


@pytest.mark.django_db
def test_a_request_finds_its_order_again_without_knowing_the_prices() -> None:
    request = {key: value for key, value in wish().items() if key not in ("lines", "currency")}
    asked = {**request, "wanted": [("FOX-1", 2)], "idempotency_key": "one"}
    assert find_placed_order(**asked) is None

    placed = place_order(**wish(idempotency_key="one"))

    assert find_placed_order(**asked) == placed
    with pytest.raises(IdempotencyConflict):
        find_placed_order(**{**asked, "wanted": [("FOX-1", 3)]})


@pytest.mark.django_db
def test_an_order_whose_number_is_taken_gets_another() -> None:
    taken = Order.objects.get(number=place_order(**wish()).number)
    now = timezone.now()
    order = Order(
        number=taken.number,
        token="another",
        ship_to={},
        subtotal=2400,
        total=2400,
        currency="EUR",
        placed_at=now,
        updated_at=now,
    )

    def tell() -> OrderCancelled:
        return OrderCancelled(order_id=order.id, number=order.number, cancelled_by="buyer", reason="")

    entry = TimelineEntry(sequence=1, type="placed", text="", at=now)
    insert_order(order=order, lines=LINES, entry=entry, tell=tell)

    number = Order.objects.get(token="another").number
    assert number not in ("", taken.number)
    assert [event.number for event in published(OrderCancelled)] == [number]


@pytest.mark.django_db
def test_placing_costs_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        place_order(**wish(idempotency_key="one"))


@pytest.mark.django_db
def test_the_lines_keep_their_order() -> None:
    lines = [Line(sku=f"FOX-{n}", title=f"Book {n}", quantity=n, unit_price=100 * n) for n in (3, 1, 2)]
    order = Order.objects.get(number=place_order(**wish(lines=lines)).number)
    assert list(
        order.lines.order_by("position").values_list("position", "sku", "quantity", "unit_price")
    ) == [
        (1, "FOX-3", 3, 300),
        (2, "FOX-1", 1, 100),
        (3, "FOX-2", 2, 200),
    ]


@pytest.mark.django_db
def test_an_order_needs_a_line() -> None:
    with pytest.raises(ValueError, match="at least one line"):
        place_order(**wish(lines=[]))


@pytest.mark.django_db(transaction=True)
def test_five_at_once_with_one_key_place_one_order() -> None:
    def place(_: int) -> PlacedOrder | None:
        try:
            return place_order(**wish(idempotency_key="at once"))
        except IdempotencyInFlight:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        placed = [one for one in pool.map(place, range(5)) if one]

    assert len({one.order_id for one in placed}) == 1
    assert Order.objects.count() == 1
    assert len(published(OrderPlaced)) == 1


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_being_written_the_second_is_told_to_come_again() -> None:
    written, may_commit = threading.Event(), threading.Event()

    def place_slowly() -> PlacedOrder:
        try:
            with transaction.atomic():
                placed = place_order(**wish(idempotency_key="slow"))
                written.set()
                assert may_commit.wait(20)
            return placed
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(place_slowly)
        assert written.wait(20)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")  # a request that waits is not told anything
            with pytest.raises(IdempotencyInFlight):
                place_order(**wish(idempotency_key="slow"))
        finally:
            may_commit.set()
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
    assert place_order(**wish(idempotency_key="slow")) == first.result()
