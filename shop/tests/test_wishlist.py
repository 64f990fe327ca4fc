"""The wish list, of a guest and of an account."""

from typing import Any

import pytest
from django.test import Client

from shop.models import Product
from shop.tests.people import sign_in, sign_up
from shop.tests.shelf import change_price, put_on_shelf, sell_elsewhere

pytestmark = pytest.mark.django_db

ADA = "ada@example.org"
HTMX = {"HX-Request": "true"}


def titles(client: Client) -> list[str]:
    return [wish.product.title for wish in client.get("/wishlist/").context["wishes"]]


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


@pytest.fixture(params=["guest", "account"])
def visitor(request: pytest.FixtureRequest) -> Client:
    return sign_up(email=ADA) if request.param == "account" else Client()


def test_an_empty_list_says_how_to_fill_it(visitor: Client) -> None:
    assert "Nothing saved yet" in text(visitor.get("/wishlist/"))


def test_a_book_is_saved_once_and_taken_off(visitor: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch")
    put_on_shelf(sku="FOX-2", title="Emma")
    saved = visitor.post("/wishlist/FOX-1/")
    assert saved.status_code == 303
    assert saved["Location"] == "/products/fox-1/"
    visitor.post("/wishlist/FOX-1/")
    visitor.post("/wishlist/FOX-2/")
    assert titles(visitor) == ["Emma", "Middlemarch"]
    visitor.post("/wishlist/FOX-1/remove/")
    assert titles(visitor) == ["Emma"]


def test_the_button_on_a_product_tells_what_is_saved(visitor: Client) -> None:
    put_on_shelf(sku="FOX-1")
    assert "Save for later" in text(visitor.get("/products/fox-1/"))
    assert "On your wish list" in text(visitor.post("/wishlist/FOX-1/", headers=HTMX))
    assert "On your wish list" in text(visitor.get("/products/fox-1/"))


def test_a_sold_out_book_offers_to_tell(visitor: Client) -> None:
    put_on_shelf(sku="FOX-1", stock=0)
    assert "Tell me when it is back" in text(visitor.get("/products/fox-1/"))


def test_the_list_shows_prices_that_dropped_and_none_that_rose(visitor: Client) -> None:
    put_on_shelf(sku="FOX-1", price=1490)
    visitor.post("/wishlist/FOX-1/")
    assert "Price dropped" not in text(visitor.get("/wishlist/"))
    change_price(sku="FOX-1", price=990)
    page = text(visitor.get("/wishlist/"))
    assert "Price dropped" in page
    assert "€14.90" in page
    change_price(sku="FOX-1", price=1990)
    assert "Price dropped" not in text(visitor.get("/wishlist/"))


def test_what_cannot_be_bought_cannot_be_put_into_the_basket(visitor: Client) -> None:
    put_on_shelf(sku="FOX-1", stock=1)
    visitor.post("/wishlist/FOX-1/")
    assert "Add to basket" in text(visitor.get("/wishlist/"))
    sell_elsewhere(sku="FOX-1", quantity=1)
    assert "Add to basket" not in text(visitor.get("/wishlist/"))
    Product.objects.update(is_active=False)
    assert "No longer sold" in text(visitor.get("/wishlist/"))


def test_a_book_that_never_was_cannot_be_saved(visitor: Client) -> None:
    assert visitor.post("/wishlist/NOTHING/").status_code == 404


def test_a_guest_brings_wishes_along_at_sign_in(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch")
    put_on_shelf(sku="FOX-2", title="Emma")
    ada = sign_up(email=ADA)
    ada.post("/wishlist/FOX-1/")
    client.post("/wishlist/FOX-1/")
    client.post("/wishlist/FOX-2/")
    sign_in(email=ADA, client=client)
    assert titles(client) == ["Emma", "Middlemarch"]
    client.post("/account/logout/")
    assert titles(client) == []


def test_a_list_has_an_end(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.wishlist.MOST", 1)
    put_on_shelf(sku="FOX-1", title="Middlemarch")
    put_on_shelf(sku="FOX-2", title="Emma")
    visitor.post("/wishlist/FOX-1/")
    assert "Take one out first" in text(visitor.post("/wishlist/FOX-2/", follow=True))
    assert titles(visitor) == ["Middlemarch"]
