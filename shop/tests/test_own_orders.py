"""Orders of an account, and of a guest who has only a number and an address."""

from typing import Any

import pytest
from django.test import Client

from shop.tests.past_orders import guest_order
from shop.tests.people import sign_in, sign_up
from shop.tests.shelf import change_price, put_on_shelf, sell_elsewhere
from shop.tests.test_accounts import told_in
from shop.tests.test_checkout import ADDRESS, CARD, fill_in_review

pytestmark = pytest.mark.django_db

ADA = "ada@example.org"


@pytest.fixture(autouse=True)
def _calls_are_counted_afresh() -> None:
    from shop.apis.throttles import SharedThrottle

    SharedThrottle._windows.clear()


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


def test_a_guest_finds_an_order_by_number_and_address(client: Client) -> None:
    order = guest_order()
    found = client.post("/orders/find/", {"number": order.number.lower(), "email": "ADA@example.org"})
    assert found.status_code == 303
    assert found["Location"] == f"/orders/{order.token}/"


def test_a_wrong_address_and_an_unknown_number_read_the_same(client: Client) -> None:
    order = guest_order()
    wrong = client.post("/orders/find/", {"number": order.number, "email": "eve@example.org"})
    unknown = client.post("/orders/find/", {"number": "WB-2222-2222", "email": "eve@example.org"})
    assert wrong.status_code == unknown.status_code == 422
    assert told_in(wrong) == told_in(unknown) != ""


def test_guessing_at_orders_is_stopped(client: Client) -> None:
    order = guest_order()
    for _ in range(10):
        client.post("/orders/find/", {"number": "WB-2222-2222", "email": ADA})
    stopped = client.post("/orders/find/", {"number": order.number, "email": ADA})
    assert stopped.status_code == 429
    assert int(stopped["Retry-After"]) > 0


def test_orders_placed_as_a_guest_come_along_when_their_address_is_proven(client: Client) -> None:
    mine, other = guest_order(email="Ada@Example.org"), guest_order(email="eve@example.org")
    ada = sign_up(email=ADA)
    page = text(ada.get("/account/orders/"))
    assert mine.number in page
    assert other.number not in page


@pytest.mark.usefixtures("bank_server")
def test_an_order_and_its_address_belong_to_the_buyer_who_is_signed_in() -> None:
    put_on_shelf(sku="FOX-1")
    ada = sign_up(email=ADA)
    ada.post("/cart/add/", {"sku": "FOX-1", "quantity": 2})
    ada.post("/checkout/", {**ADDRESS, "email": "work@example.org"})
    ada.post("/checkout/payment/", CARD)
    ada.post("/checkout/review/", fill_in_review(ada))
    assert "Thank you" in text(ada.get("/account/"))
    assert ADDRESS["line1"].replace("'", "&#x27;") in text(ada.get("/account/addresses/"))
    assert ada.get("/cart/").context["cart"].count == 0
    ada.post("/cart/add/", {"sku": "FOX-1", "quantity": 1})
    offered = ada.get("/checkout/").context["form"].initial
    assert (offered["email"], offered["line1"]) == (ADA, ADDRESS["line1"])
    ada.post("/cart/FOX-1/remove/")
    assert sign_in(email=ADA).get("/cart/").context["cart"].count == 0


@pytest.mark.usefixtures("bank_server")
def test_an_address_can_be_forgotten_by_its_owner_alone() -> None:
    test_an_order_and_its_address_belong_to_the_buyer_who_is_signed_in()
    ada, eve = sign_in(email=ADA), sign_up(email="eve@example.org")
    [kept] = ada.get("/account/addresses/").context["addresses"]
    eve.post(f"/account/addresses/{kept.id}/remove/")
    assert ada.get("/account/addresses/").context["addresses"]
    ada.post(f"/account/addresses/{kept.id}/remove/")
    assert not ada.get("/account/addresses/").context["addresses"]


def test_old_orders_stand_on_further_pages() -> None:
    numbers = [guest_order().number for _ in range(11)]
    ada = sign_up(email=ADA)
    assert numbers[0] not in text(ada.get("/account/orders/"))
    assert numbers[0] in text(ada.get("/account/orders/?page=2"))
    assert numbers[0] in text(ada.get("/account/orders/?page=99"))
    assert numbers[-1] in text(ada.get("/account/orders/?page=x"))


def test_a_list_asks_for_news_until_every_order_has_ended() -> None:
    order, asked = guest_order(), {"HX-Request": "true"}
    ada = sign_up(email=ADA)
    page = ada.get("/account/orders/", headers=asked)
    assert page.status_code == 200
    assert f'hx-select-oob="#state-{order.number}:innerHTML"' in text(page)
    ada.post(f"/orders/{order.token}/cancel/")
    over = ada.get("/account/orders/", headers=asked)
    assert over.status_code == 286
    assert "This order is cancelled." in text(over)
    assert "hx-trigger" not in text(ada.get("/account/orders/")).partition("<main")[2]


def test_the_same_books_once_more_tell_what_has_changed(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch", stock=1)
    order = guest_order(quantity=3)
    change_price(sku="FOX-1", price=1990)
    answer = client.post(f"/orders/{order.token}/again/", follow=True)
    assert answer.context["cart"].count == 1
    assert "The price of Middlemarch has changed" in text(answer)
    assert "Only 1 of Middlemarch" in text(answer)


def test_the_same_books_once_more_tell_what_is_gone(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch", stock=1)
    order = guest_order()
    sell_elsewhere(sku="FOX-1", quantity=1)
    answer = client.post(f"/orders/{order.token}/again/", follow=True)
    assert answer.context["cart"].count == 0
    assert "Middlemarch is sold out" in text(answer)


def test_an_unknown_order_cannot_be_ordered_again(client: Client) -> None:
    assert client.post("/orders/nothing/again/").status_code == 404
