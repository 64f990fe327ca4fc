"""Narrowing a listing down, and finding the way on from one that holds nothing."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shop.models import Attribute, Product
from shop.spelling import correct_words, learn_words, words_of_product
from shop.tests.shelf import put_on_shelf, withdraw

pytestmark = pytest.mark.django_db


def shelve(*, sku: str, title: str = "Middlemarch", byline: str = "George Eliot", **attributes: str) -> None:
    book = put_on_shelf(sku=sku, title=title)
    for position, key in enumerate(("language", "period")):
        Attribute.objects.get_or_create(
            product_type=book.product_type,
            key=key,
            defaults={"label": key.title(), "is_facet": True, "position": position},
        )
    Product.objects.filter(sku=sku).update(attributes=attributes, byline=byline)
    learn_words(texts=words_of_product(title=title, byline=byline, attributes=attributes))


@pytest.fixture
def four_books() -> None:
    shelve(sku="FOX-1", title="Emma", language="English", period="19th century")
    shelve(sku="FOX-2", title="Germinal", language="French", period="19th century")
    shelve(sku="FOX-3", title="Candide", language="French", period="18th century")
    shelve(sku="FOX-4", title="Faust", language="German", period="19th century")


def read_page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def offered(page: str) -> dict[str, int]:
    """Return the values of all facets with the counts beside them."""
    found = re.findall(r'value="([^"]+)"(?: checked)?><span>.*?aria-hidden="true">(\d+)<', page)
    return {value: int(count) for value, count in found}


@pytest.mark.usefixtures("four_books")
def test_each_value_says_how_many_books_it_would_leave(client: Client) -> None:
    assert offered(read_page(client, "/")) == {
        "French": 2,
        "English": 1,
        "German": 1,
        "19th century": 3,
        "18th century": 1,
    }


@pytest.mark.usefixtures("four_books")
def test_a_choice_in_one_facet_changes_the_counts_of_the_others_but_not_its_own(client: Client) -> None:
    counts = offered(read_page(client, "/?language=French"))

    assert counts == {"French": 2, "English": 1, "German": 1, "19th century": 1, "18th century": 1}


@pytest.mark.usefixtures("four_books")
def test_two_values_of_a_facet_widen_and_a_second_facet_narrows(client: Client) -> None:
    page = read_page(client, "/?language=French&language=German&period=19th+century")

    assert "2 books" in page
    assert offered(page)["18th century"] == 1
    assert 'href="/?language=German&amp;period=19th+century"' in page  # the chip that drops French


@pytest.mark.usefixtures("four_books")
def test_counts_follow_the_search_and_leave_out_what_is_no_longer_sold(client: Client) -> None:
    withdraw(sku="FOX-1")

    assert offered(read_page(client, "/?search=eliot")) == {
        "French": 2,
        "German": 1,
        "19th century": 2,
        "18th century": 1,
    }


@pytest.mark.usefixtures("four_books")
def test_a_mistyped_search_is_offered_as_the_catalogue_spells_it(client: Client) -> None:
    page = read_page(client, "/?search=germnial")

    assert "Did you mean" in page
    assert 'href="/?search=germinal"' in page


@pytest.mark.usefixtures("four_books")
def test_a_spelling_that_fits_no_filter_is_offered_without_them(client: Client) -> None:
    page = read_page(client, "/?search=germnial&language=German")

    assert 'href="/?search=germinal"' in page


@pytest.mark.usefixtures("four_books")
def test_filters_that_leave_nothing_can_be_dropped_where_that_helps(client: Client) -> None:
    page = read_page(client, "/?search=emma&language=French&period=19th+century")

    offers = page[page.index("There is more without one of these") :]
    assert 'href="/?search=emma&amp;period=19th+century"' in offers
    assert 'href="/?search=emma&amp;language=French"' not in offers


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["prejudcie"], ["prejudice"]),
        (["pride", "predjudice"], ["pride", "prejudice"]),
        (["bronte"], ["bronte"]),
        (["emna"], ["emma"]),
        (["xylophone"], ["xylophone"]),
        (["1984"], ["1984"]),
        (["ab"], ["ab"]),
    ],
)
def test_words_are_replaced_by_the_nearest_that_is_near_enough(typed: list[str], meant: list[str]) -> None:
    learn_words(texts=["Pride and Prejudice", "Emma", "Emily Brontë"])

    assert correct_words(words=typed) == meant


@pytest.mark.usefixtures("four_books")
def test_a_search_in_vain_takes_few_queries(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    limits = "&".join(f"period={number}" for number in range(30))

    with django_assert_max_num_queries(15):
        client.get(f"/?search=germnial&{limits}")


def test_a_book_names_others_of_its_author_first(client: Client) -> None:
    shelve(sku="FOX-1", title="Emma", byline="Jane Austen", period="19th century")
    shelve(sku="FOX-2", title="Candide", byline="Voltaire", period="18th century")
    shelve(sku="FOX-3", title="Germinal", byline="Émile Zola", period="19th century")
    shelve(sku="FOX-4", title="Persuasion", byline="Jane Austen")

    page = read_page(client, "/products/fox-1/")

    similar = page[page.index("From the same shelf") :]
    assert re.findall(r'href="/products/(fox-\d)/"', similar) == ["fox-4", "fox-3", "fox-2"]


def test_attributes_too_long_for_their_index_are_refused_with_words() -> None:
    book = put_on_shelf(sku="FOX-1")
    book.attributes = {"note": "x" * 2000}

    with pytest.raises(ValidationError, match=r"shorter than 2,000 bytes"):
        book.validate_constraints()
