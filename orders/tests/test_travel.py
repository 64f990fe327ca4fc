"""How an order travelled: every event it told and heard, on its page, with the time from one to the next."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from orders.models import Order, TimelineEntry
from orders.services import cancel_order
from orders.tests.conftest import Place
from orders.tests.test_page import dispatch, pay, reserve
from orders.travel import Hop, span_words, travel

LATE = "takes longer than usual"
PLACED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(*, after: float, event: str = "", cause: str = "", heard_after: float = 0) -> TimelineEntry:
    """An entry so many seconds after the order was placed."""
    return TimelineEntry(
        at=PLACED_AT + timedelta(seconds=after),
        event_type=event,
        cause_type=cause,
        cause_at=PLACED_AT + timedelta(seconds=heard_after) if cause else None,
    )


def hops(order: Order) -> list[tuple[str, str]]:
    """The topic and the type of each hop that the order's page shows."""
    answer = Client().get(f"/orders/{order.token}/").content.decode()
    return re.findall(r"<code>((\w+)\.[\w.]+)</code>", answer)


@pytest.mark.django_db
def test_the_page_shows_each_event_that_the_order_told_and_heard(place: Place) -> None:
    order = place()
    reserve(order)
    pay(order)

    assert [name for name, _ in hops(order)] == [
        "orders.order_placed.v1",
        "inventory.stock_reserved.v1",
        "orders.payment_requested.v1",
        "payments.payment_captured.v1",
        "orders.order_confirmed.v1",
    ]


@pytest.mark.django_db
def test_what_a_buyer_does_has_no_event_before_it(place: Place) -> None:
    order = place()
    cancel_order(token=order.token, by="buyer")
    assert [name for name, _ in hops(order)] == ["orders.order_placed.v1", "orders.order_cancelled.v1"]


@pytest.mark.django_db
def test_a_step_without_an_event_of_its_own_is_told_as_an_advance(place: Place) -> None:
    order = place()
    reserve(order)
    pay(order)
    dispatch(order)
    assert [name for name, _ in hops(order)][-2:] == [
        "shipments.shipment_dispatched.v1",
        "orders.order_advanced.v1",
    ]


@pytest.mark.django_db
def test_the_news_of_an_order_brings_its_whole_way(client: Client, place: Place) -> None:
    order = place()
    reserve(order)
    news = client.get(f"/orders/{order.token}/timeline/", {"after": 1}).content.decode()
    assert re.findall(r"<code>([\w.]+)</code>", news)[0] == "orders.order_placed.v1"


@pytest.mark.django_db
def test_another_orders_hops_are_not_shown(place: Place) -> None:
    order, other = place(), place()
    reserve(other)
    assert [name for name, _ in hops(order)] == ["orders.order_placed.v1"]


def test_each_hop_tells_the_time_to_the_next_and_the_last_none() -> None:
    way = travel(
        entries=[
            entry(after=0, event="orders.order_placed.v1"),
            entry(
                after=0.03,
                event="orders.payment_requested.v1",
                cause="inventory.stock_reserved.v1",
                heard_after=0.02,
            ),
        ]
    )
    assert [hop.wait for hop in way.hops] == ["20 ms", "10 ms", ""]


def test_the_bars_compare_hops_by_their_magnitude() -> None:
    entries = [entry(after=seconds, event="orders.order_advanced.v1") for seconds in (0, 0.01, 86400)]
    shares = [hop.share for hop in travel(entries=entries).hops]
    assert shares[1] == 100
    assert 5 < shares[0] < 50
    assert shares[2] == 0


def test_an_event_heard_late_stands_where_it_was_told() -> None:
    way = travel(
        entries=[
            entry(after=0, event="orders.order_placed.v1"),
            entry(after=5, event="orders.order_cancelled.v1"),
            entry(
                after=6,
                event="orders.refund_requested.v1",
                cause="payments.payment_captured.v1",
                heard_after=4,
            ),
        ]
    )
    assert [hop.topic for hop in way.hops] == ["orders", "payments", "orders", "orders"]


def test_a_paid_order_tells_how_long_it_took() -> None:
    placed = entry(after=0, event="orders.order_placed.v1")
    assert travel(entries=[placed]).paid_words == ""
    paid = entry(after=0.064, event="orders.order_confirmed.v1")
    assert travel(entries=[placed, paid]).paid_words == "64 ms"


def test_entries_of_before_hops_were_kept_tell_nothing() -> None:
    assert travel(entries=[entry(after=0), entry(after=1)]).hops == ()


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (0.0274, "27 ms", "27 ms"),
        (1.44, "1.4 s", "1,4 s"),
        (200, "3 min", "3 Min."),
        (7300, "2 h", "2 Std."),
        (86400, "1 day", "1 Tag"),
        (5 * 86400, "5 days", "5 Tage"),
    ],
)
def test_a_span_is_told_in_the_unit_that_fits_it(seconds: float, english: str, german: str) -> None:
    span = timedelta(seconds=seconds)
    assert span_words(span=span) == english
    with translation.override("de"):
        assert span_words(span=span) == german


def test_an_event_nobody_put_into_words_is_told_by_its_name() -> None:
    hop = Hop(event_type="orders.something_new.v1", at=PLACED_AT, took=None, share=0)
    assert hop.words == "orders.something_new.v1"


def test_events_are_told_in_the_language_of_the_page() -> None:
    hop = Hop(event_type="payments.payment_captured.v1", at=PLACED_AT, took=None, share=0)
    with translation.override("de"):
        assert hop.words == "Zahlung eingegangen"


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["placed", "reserved", "confirmed"])
def test_a_buyer_whom_the_shop_keeps_waiting_is_told_so(client: Client, place: Place, status: str) -> None:
    order = place()
    days_ago = timezone.now() - timedelta(days=30)
    Order.objects.filter(id=order.id).update(status=status, updated_at=days_ago)
    assert LATE in client.get(f"/orders/{order.token}/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["action_required", "payment_declined", "shipped"])
def test_what_is_for_the_buyer_or_the_carrier_to_do_is_not_called_late(
    client: Client, place: Place, status: str
) -> None:
    order = place()
    days_ago = timezone.now() - timedelta(days=30)
    Order.objects.filter(id=order.id).update(status=status, updated_at=days_ago)
    assert LATE not in client.get(f"/orders/{order.token}/").content.decode()


@pytest.mark.django_db
def test_a_new_order_is_not_called_late(client: Client, place: Place) -> None:
    assert LATE not in client.get(f"/orders/{place().token}/").content.decode()
