"""Paying again after a decline, and coming back from the bank."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from events.inventory import StockReserved
from events.payments import PaymentDeclined
from events.values import Address, Card, Line
from orders.handlers import worker as saga
from orders.services import PlacedOrder, place_order
from workers.testing import deliver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bank_server")]

LINE = Line(sku="FOX-1", title="Middlemarch", quantity=1, unit_price=1490)
CARD = {"number": "4242 4242 4242 4242", "expiry": "08 / 99", "cvc": "123"}


def hold_books(order_id: UUID) -> None:
    until = timezone.now() + timedelta(minutes=15)
    deliver(saga, StockReserved(order_id=order_id, lines=(LINE,), hold_expires_at=until))


def decline_card(order_id: UUID) -> None:
    card = Card(brand="visa", last4="0002")
    deliver(
        saga,
        PaymentDeclined(order_id=order_id, attempt_id=uuid4(), decline_code="card_declined", card=card),
        sequence=2,
    )


def place() -> PlacedOrder:
    address = Address(
        name="Ada", line1="12 St James's Square", city="London", postal_code="SW1Y 4LE", country="GB"
    )
    order = place_order(
        lines=[LINE],
        email="ada@example.com",
        ship_to=address,
        payment_method="pm_card_declined",
        currency="EUR",
    )
    hold_books(order.order_id)
    return order


@pytest.fixture
def held() -> str:
    """The address of an order whose books are set aside."""
    return f"/orders/{place().token}/"


@pytest.fixture
def declined() -> str:
    """The address of an order whose card was declined."""
    order = place()
    decline_card(order.order_id)
    return f"/orders/{order.token}/"


def read_page(client: Client, address: str) -> str:
    page: str = client.get(address).content.decode()
    return page


def test_a_declined_order_offers_another_card(client: Client, declined: str) -> None:
    page = read_page(client, declined)

    assert "Your card was declined." in page
    assert f'href="{declined}pay/"' in page


def test_the_page_for_another_card_says_what_is_paid(client: Client, declined: str) -> None:
    assert "Pay €14.90" in read_page(client, f"{declined}pay/")


def test_another_card_sets_the_order_going_again(client: Client, declined: str) -> None:
    answer = client.post(f"{declined}pay/", CARD)

    assert (answer.status_code, answer["Location"]) == (303, declined)
    assert "Your books are set aside." in read_page(client, declined)


def test_a_mistake_in_the_card_is_told_and_leaves_the_order_as_it_was(client: Client, declined: str) -> None:
    answer = client.post(f"{declined}pay/", {**CARD, "number": "1"})

    assert answer.status_code == 422
    assert "<title>Error: " in answer.content.decode()
    assert "Your card was declined." in read_page(client, declined)


def test_sending_the_card_twice_pays_once(client: Client, declined: str) -> None:
    client.post(f"{declined}pay/", CARD)
    client.post(f"{declined}pay/", CARD)

    assert read_page(client, declined).count("You gave us another card") == 1


def test_an_order_that_waits_for_no_card_takes_none(client: Client, held: str) -> None:
    assert client.get(f"{held}pay/")["Location"] == held
    assert client.post(f"{held}pay/", CARD)["Location"] == held


def test_an_unknown_order_has_no_page_to_pay_on(client: Client) -> None:
    assert client.get("/orders/no-such-token/pay/").status_code == 404


def test_coming_back_from_the_bank_for_an_unknown_attempt_is_not_found(client: Client) -> None:
    assert client.get(f"/payments/return/{uuid4()}/").status_code == 404
