"""The catalogue's pages: finding a book, and what happens where there is none."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shop.models import Product
from shop.tests.shelf import put_on_shelf, withdraw

pytestmark = pytest.mark.django_db


def read_page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_the_front_page_shows_the_books_with_their_prices(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch", price=1490)

    page = read_page(client, "/")

    assert 'href="/products/fox-1/"' in page
    assert "€14.90" in page


def test_a_search_is_kept_in_the_field_and_can_be_dropped(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch")

    page = read_page(client, "/?search=middle&category=novels")

    assert 'value="middle"' in page
    assert 'href="/?category=novels"' in page
    assert 'href="/?search=middle"' in page


def test_a_search_without_hits_says_what_to_try(client: Client) -> None:
    page = read_page(client, "/?search=nothing+like+it")

    assert "Nothing on our shelves fits that." in page
    assert "See all books" in page


@pytest.mark.parametrize(
    "query", ["sort=odd", "page=x", "page=0", "page=99999999999", "category=no", "search=%00"]
)
def test_an_odd_address_is_answered_all_the_same(client: Client, query: str) -> None:
    assert client.get(f"/?{query}").status_code == 200


def test_what_was_searched_for_is_shown_as_text(client: Client) -> None:
    assert "<img src=x" not in read_page(client, "/?search=<img src=x onerror=alert(1)>")


def test_pages_lead_from_one_to_the_next_and_keep_the_search(client: Client) -> None:
    for number in range(30):
        put_on_shelf(sku=f"FOX-{number}")

    page = read_page(client, "/?search=middlemarch&sort=title")

    assert 'href="/?search=middlemarch&amp;sort=title&amp;page=2"' in page


def test_htmx_gets_the_results_alone_and_going_back_gets_the_whole_page(client: Client) -> None:
    asked = {"HX-Request": "true"}

    part = client.get("/?search=x", headers=asked)
    whole = client.get("/?search=x", headers={**asked, "HX-History-Restore-Request": "true"})

    assert "<html" not in part.content.decode()
    assert "<html" in whole.content.decode()
    assert part["HX-Push-Url"] == "/?search=x"


def test_the_catalogue_takes_the_same_number_of_queries_however_many_books_there_are(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        put_on_shelf(sku=f"FOX-{number}")

    with django_assert_num_queries(6):  # facets, categories, count, products, stock, ratings
        client.get("/")


@pytest.mark.parametrize(
    ("stock", "words"), [(6, "In stock"), (5, "Only 5 left"), (1, "Only 1 left"), (0, "Sold out")]
)
def test_a_book_says_how_it_stands_with_its_stock(client: Client, stock: int, words: str) -> None:
    put_on_shelf(sku="FOX-1", stock=stock)

    assert words in read_page(client, "/products/fox-1/")


def test_a_sold_out_book_cannot_be_put_in_the_basket(client: Client) -> None:
    put_on_shelf(sku="FOX-1", stock=0)

    assert "Add to basket" not in read_page(client, "/products/fox-1/")


def test_a_book_that_never_was_is_not_found_in_the_shops_own_words(client: Client) -> None:
    answer = client.get("/products/no-such-book/")

    assert answer.status_code == 404
    assert "This page is not on our shelves." in answer.content.decode()


def test_a_book_no_longer_sold_is_gone_and_names_its_neighbours(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Emma")
    put_on_shelf(sku="FOX-2", title="Persuasion")
    withdraw(sku="FOX-1")

    answer = client.get("/products/fox-1/")

    assert answer.status_code == 410
    assert "Emma has left our shelves." in answer.content.decode()
    assert "Persuasion" in answer.content.decode()


def test_a_description_with_markup_in_it_is_shown_as_text(client: Client) -> None:
    put_on_shelf(sku="FOX-1")
    Product.objects.update(description="<img src=x onerror=alert(1)>")

    assert "<img src=x" not in read_page(client, "/products/fox-1/")


def test_every_page_is_sent_with_a_policy_that_allows_nothing_inline(client: Client) -> None:
    policy = client.get("/")["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_browsers_find_the_icon_where_they_look_for_it(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"].endswith(".svg")


def test_robots_are_asked_to_leave_orders_alone(client: Client) -> None:
    assert "Disallow: /orders/" in read_page(client, "/robots.txt")
