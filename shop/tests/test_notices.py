"""The bell of a buyer who is signed in: what it counts, what it leads to, and who hears nothing."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events.models import OutboxEvent
from events.orders import OrderPlaced
from notifications.handlers import worker as mails
from orders.services import PlacedOrder, place_order
from shop.tests.past_orders import HOME, lines_of
from shop.tests.people import sign_up
from workers.testing import deliver, published

pytestmark = pytest.mark.django_db

ADA, EVE = "ada@example.org", "eve@example.org"


def ordered(*, email: str) -> PlacedOrder:
    """Place an order of the account with this address, and have the buyer told of it."""
    OutboxEvent.objects.all().delete()
    order = place_order(
        lines=lines_of(),
        email=email,
        ship_to=HOME,
        payment_method="pm_card_visa",
        currency="EUR",
        buyer_id=get_user_model().objects.get(email=email).pk,
    )
    deliver(mails, *published(OrderPlaced))
    return order


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


def unread(client: Client) -> str:
    return text(client.get("/account/notifications/unread/"))


def test_the_bell_counts_what_is_new_on_every_page() -> None:
    ada = sign_up(email=ADA)
    assert "unread</span>" not in text(ada.get("/cart/"))
    ordered(email=ADA)
    for page in ("/", "/cart/", "/account/"):
        assert "Notifications, 1 unread" in text(ada.get(page))
    assert "Notifications, 1 unread" in unread(ada)


def test_the_count_is_said_in_german() -> None:
    ada = sign_up(email=ADA)
    ordered(email=ADA)
    assert "Mitteilungen, 1 ungelesen" in text(ada.get("/cart/", headers={"Accept-Language": "de"}))


def test_the_page_lists_own_notices_that_lead_to_their_order() -> None:
    ada, eve = sign_up(email=ADA), sign_up(email=EVE)
    order = ordered(email=ADA)
    page = text(ada.get("/account/notifications/"))
    assert "We have your order" in page
    assert f'href="/orders/{order.token}/"' in page
    assert order.token not in text(eve.get("/account/notifications/"))
    assert "unread" not in unread(eve)


def test_opening_an_order_reads_its_notices() -> None:
    ada = sign_up(email=ADA)
    order, _other = ordered(email=ADA), ordered(email=ADA)
    assert ada.get(f"/orders/{order.token}/").status_code == 200
    assert "Notifications, 1 unread" in unread(ada)


def test_what_comes_while_the_order_is_open_is_read() -> None:
    ada = sign_up(email=ADA)
    order = ordered(email=ADA)
    assert "unread</span>" not in text(ada.get(f"/account/notifications/unread/?order={order.token}"))


def test_somebody_else_who_opens_the_order_leaves_them_unread() -> None:
    ada, eve = sign_up(email=ADA), sign_up(email=EVE)
    order = ordered(email=ADA)
    eve.get(f"/orders/{order.token}/")
    Client().get(f"/orders/{order.token}/")
    eve.get(f"/account/notifications/unread/?order={order.token}")
    assert "Notifications, 1 unread" in unread(ada)


def test_all_are_marked_read_by_a_form() -> None:
    ada = sign_up(email=ADA)
    ordered(email=ADA), ordered(email=ADA)
    assert "Mark all as read" in text(ada.get("/account/notifications/"))
    assert ada.get("/account/notifications/read/").status_code == 405
    answer = ada.post("/account/notifications/read/")
    assert (answer.status_code, answer["Location"]) == (303, "/account/notifications/")
    assert "unread</span>" not in unread(ada)
    assert "Mark all as read" not in text(ada.get("/account/notifications/"))


def test_guests_have_no_bell_and_cost_no_query(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = text(client.get("/cart/"))
    assert 'id="bell"' not in page
    assert "bell.js" not in page
    assert not [query for query in queries if "notifications_" in query["sql"]]
    assert client.get("/account/notifications/unread/").status_code == 204
    assert client.get("/account/notifications/").status_code == 302
    assert client.post("/account/notifications/read/").status_code == 302


def test_the_bell_costs_one_query() -> None:
    ada = sign_up(email=ADA)
    ordered(email=ADA), ordered(email=ADA)
    with CaptureQueriesContext(connection) as queries:
        ada.get("/cart/")
    assert len([query for query in queries if "notifications_" in query["sql"]]) == 1
