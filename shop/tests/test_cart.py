"""The basket, as a visitor's browser meets it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shop.tests.shelf import change_price, put_on_shelf, sell_elsewhere, withdraw

pytestmark = pytest.mark.django_db


def add(client: Client, sku: str, quantity: int = 1, **headers: str) -> Any:
    return client.post("/cart/add/", {"sku": sku, "quantity": quantity}, headers=headers)


def read_page(client: Client, address: str = "/cart/") -> str:
    return client.get(address).content.decode()


def test_a_new_visitor_has_an_empty_basket_and_is_shown_the_way_to_the_books(client: Client) -> None:
    page = read_page(client)

    assert "Nothing in it yet" in page
    assert "Look at the shelves" in page


def test_adding_a_book_answers_see_other_and_the_basket_shows_it_with_its_price(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch", price=1490)

    answer = add(client, "FOX-1", 2)

    assert (answer.status_code, answer["Location"]) == (303, "/cart/")
    page = read_page(client)
    assert "Middlemarch is in your basket." in page
    assert "€14.90 each" in page
    assert "€29.80" in page


def test_the_header_of_every_page_counts_the_books_in_the_basket(client: Client) -> None:
    put_on_shelf(sku="FOX-1")

    add(client, "FOX-1", 3)

    assert '<span id="basket-count" class="count">3<' in read_page(client, "/")


def test_adding_the_same_book_twice_makes_one_line(client: Client) -> None:
    put_on_shelf(sku="FOX-1")

    add(client, "FOX-1", 1)
    add(client, "FOX-1", 2)

    page = read_page(client)
    assert page.count('href="/products/fox-1/"') == 1
    assert "<option selected>3</option>" in page


def test_no_more_pieces_go_into_the_basket_than_are_in_stock(client: Client) -> None:
    put_on_shelf(sku="FOX-1", stock=2)

    add(client, "FOX-1", 5)

    assert "2 books" in read_page(client)


def test_a_sold_out_book_cannot_be_added_and_the_buyer_is_told(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Emma", stock=0)

    add(client, "FOX-1")

    page = read_page(client)
    assert "Emma is sold out." in page
    assert "Nothing in it yet" in page


@pytest.mark.parametrize("sku", ["FOX-NONE", "<script>", "\0"])
def test_a_book_that_never_existed_cannot_be_added(client: Client, sku: str) -> None:
    add(client, sku)

    assert "Nothing in it yet" in read_page(client)


@pytest.mark.parametrize("quantity", ["0", "-1", "21", "many", ""])
def test_a_quantity_that_cannot_be_is_refused(client: Client, quantity: str) -> None:
    put_on_shelf(sku="FOX-1")

    client.post("/cart/add/", {"sku": "FOX-1", "quantity": quantity})

    page = read_page(client)
    assert "Choose a book and a quantity" in page
    assert "Nothing in it yet" in page


def test_another_quantity_can_be_chosen(client: Client) -> None:
    put_on_shelf(sku="FOX-1", price=1000)
    add(client, "FOX-1", 1)

    client.post("/cart/FOX-1/", {"quantity": 4})

    assert "€40.00" in read_page(client)


def test_a_removed_book_can_be_put_back_as_it_was(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch")
    add(client, "FOX-1", 3)

    client.post("/cart/FOX-1/remove/")
    emptied = read_page(client)
    client.post("/cart/undo/")

    assert "Middlemarch was taken out." in emptied
    assert "3 books" in read_page(client)


def test_undo_without_anything_removed_changes_nothing(client: Client) -> None:
    client.post("/cart/undo/")

    assert "Nothing in it yet" in read_page(client)


def test_a_price_that_changed_meanwhile_is_told_and_the_new_one_counts(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Emma", price=900)
    add(client, "FOX-1", 2)

    change_price(sku="FOX-1", price=1100)

    page = read_page(client)
    assert "1 thing changed" in page
    assert "€9.00 → €11.00" in page
    assert "€22.00" in page


def test_stock_that_shrank_meanwhile_cuts_the_line_and_is_told(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Emma", price=900, stock=3)
    add(client, "FOX-1", 3)

    sell_elsewhere(sku="FOX-1", quantity=2)

    page = read_page(client)
    assert "Only 1 of Emma is left" in page
    assert "3 → 1" in page
    assert "€9.00" in page


def test_choosing_a_quantity_accepts_what_has_changed(client: Client) -> None:
    put_on_shelf(sku="FOX-1", price=900)
    add(client, "FOX-1", 1)
    change_price(sku="FOX-1", price=1100)

    client.post("/cart/FOX-1/", {"quantity": 1})

    assert "changed" not in read_page(client)


@pytest.mark.parametrize(
    "disappear", [lambda: sell_elsewhere(sku="FOX-1", quantity=10), lambda: withdraw(sku="FOX-1")]
)
def test_a_book_that_is_gone_meanwhile_stays_visible_but_is_not_ordered(
    client: Client, disappear: Callable[[], None]
) -> None:
    put_on_shelf(sku="FOX-1", title="Emma", stock=10)
    add(client, "FOX-1")

    disappear()

    page = read_page(client)
    assert "Emma has sold out and will not be ordered" in page
    assert "Go to checkout" not in page


def test_htmx_gets_the_part_of_the_page_it_swaps_and_the_new_count(client: Client) -> None:
    put_on_shelf(sku="FOX-1")
    added = add(client, "FOX-1", 2, **{"HX-Request": "true"})

    part = client.get("/cart/", headers={"HX-Request": "true"})

    assert 'id="basket-count" hx-swap-oob="true"' in added.content.decode()
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part["Vary"]


def test_a_title_with_markup_in_it_is_shown_as_text(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="<img src=x onerror=alert(1)>")
    add(client, "FOX-1")

    client.post("/cart/FOX-1/remove/")

    assert "<img src=x" not in read_page(client)


def test_the_basket_takes_the_same_number_of_queries_however_much_lies_in_it(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        put_on_shelf(sku=f"FOX-{number}")
        add(client, f"FOX-{number}")

    with django_assert_num_queries(3):  # the session, the products, their stock
        client.get("/cart/")
