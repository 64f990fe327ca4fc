"""Finding products: search, shelves, facets, order, pages and cursors."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from pytest_django import DjangoAssertNumQueries

from shop.models import Attribute, Category, Product, ProductType
from shop.selectors import (
    SORTS,
    BadCursor,
    ProductNotFound,
    UnknownSort,
    get_product,
    list_categories,
    list_facets,
    products_by_sku,
    scroll_products,
    search_products,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf() -> Category:
    return Category.objects.create(slug="novels", name="Novels")


@pytest.fixture
def book(shelf: Category) -> ProductType:
    book = ProductType.objects.create(name="Book")
    languages = ["English", "French", "German"]
    Attribute.objects.create(
        product_type=book, key="language", label="Language", kind="choice", choices=languages, is_facet=True
    )
    Attribute.objects.create(product_type=book, key="pages", label="Pages", kind="integer", position=1)
    return book


def sell(title: str, *, sku: str = "", **fields: Any) -> Product:
    sku = sku or f"SKU-{Product.objects.count() + 1}"
    defaults: dict[str, Any] = {
        "slug": sku.lower(),
        "product_type": ProductType.objects.get(),
        "category": Category.objects.first(),
        "price_amount": 1000,
    }
    return Product.objects.create(sku=sku, title=title, **{**defaults, **fields})


def found(search: str, **limits: Any) -> list[str]:
    return [product.title for product in search_products(search=search, **limits).products]


def scrolled(**limits: Any) -> list[str]:
    titles, cursor = [], ""
    while True:
        stretch = scroll_products(cursor=cursor, page_size=2, **limits)
        titles += [product.title for product in stretch.products]
        cursor = stretch.next_cursor
        if not cursor:
            return titles


def titles_of(products: Sequence[Any]) -> list[str]:
    return [product.title for product in products]


@pytest.mark.parametrize(
    "typed",
    [
        "miserables",
        "MISÉRABLES",
        "les mis",
        "Victor Hugo",
        "hugo miserable",
        "convict",
        "convicts",
        "french",
        '"Misérables"',
    ],
)
def test_a_book_is_found_by_title_author_subject_and_attribute_however_typed(
    book: ProductType, typed: str
) -> None:
    sell(
        "Les Misérables",
        byline="Victor Hugo",
        description="A convict steals bread.",
        attributes={"language": "French"},
    )
    sell(
        "Emma", byline="Jane Austen", description="A matchmaker is wrong.", attributes={"language": "English"}
    )

    assert found(typed) == ["Les Misérables"]


@pytest.mark.parametrize("title", ["She", "We", "Not Without Laughter", "The Way We Live Now"])
def test_titles_made_of_small_words_are_found(book: ProductType, title: str) -> None:
    sell(title)

    assert found(title) == [title]


def test_every_word_must_be_there(book: ProductType) -> None:
    sell("War and Peace")
    sell("The War of the Worlds")

    assert found("war peace") == ["War and Peace"]


def test_a_word_of_the_title_counts_for_more_than_one_of_the_description(book: ProductType) -> None:
    sell("The Sea", description="Nothing to do with poplars.")
    sell("Poplars")

    assert found("poplars") == ["Poplars", "The Sea"]


def test_a_whole_word_counts_for_more_than_the_beginning_of_one(book: ProductType) -> None:
    sell("Poems")
    sell("Tales", byline="Edgar Allan Poe")

    assert found("poe") == ["Tales", "Poems"]


@pytest.mark.parametrize("typed", ["zeppelin", "\x00", "' | !x:* &", "language", "<b>"])
def test_what_is_not_there_is_not_found_and_breaks_nothing(book: ProductType, typed: str) -> None:
    sell("Emma", attributes={"language": "English"})

    assert "Emma" not in found(typed) or not typed.strip("\x00 '|!:*&")


def test_search_sees_a_change_at_once(book: ProductType) -> None:
    product = sell("Working Title")
    product.title = "Persuasion"
    product.save()

    assert found("persuasion") == ["Persuasion"]
    assert found("working") == []


def test_a_shelf_holds_its_own_products_that_are_for_sale(book: ProductType, shelf: Category) -> None:
    plays = Category.objects.create(slug="plays", name="Plays", position=1)
    sell("Emma")
    sell("Hamlet", category=plays)
    sell("Cardenio", category=plays, is_active=False)

    assert found("", category="plays") == ["Hamlet"]
    assert [category.name for category in list_categories()] == ["Novels", "Plays"]
    assert found("", category="no-such-shelf\x00") == []


def test_values_of_one_facet_widen_and_those_of_two_narrow(book: ProductType) -> None:
    Attribute.objects.create(product_type=book, key="subject", label="Subject", is_facet=True)
    sell("Emma", attributes={"language": "English", "subject": "Love"})
    sell("Germinal", attributes={"language": "French", "subject": "Work"})
    sell("Faust", attributes={"language": "German", "subject": "Love"})

    assert found("", facets={"language": ["French", "German"]}) == ["Germinal", "Faust"]
    assert found("", facets={"language": ["French", "German"], "subject": ["Love"]}) == ["Faust"]
    assert found("", facets={"language": ["Klingon\x00"]}) == []


def test_facets_are_the_attributes_marked_so(book: ProductType) -> None:
    assert [(facet.key, facet.choices) for facet in list_facets()] == [
        ("language", ("English", "French", "German"))
    ]


def test_titles_sort_without_their_articles_and_accents(book: ProductType) -> None:
    for title in ["The Odyssey", "Éloges", "Emma", "A Doll's House", "Zadig"]:
        sell(title)

    assert found("", sort="title") == ["A Doll's House", "Éloges", "Emma", "The Odyssey", "Zadig"]


def test_prices_sort_both_ways_and_the_newest_can_come_first(book: ProductType) -> None:
    sell("Middle", price_amount=900)
    sell("Dear", price_amount=3000)
    sell("Cheap", price_amount=390)

    assert found("", sort="price") == ["Cheap", "Middle", "Dear"]
    assert found("", sort="-price") == ["Dear", "Middle", "Cheap"]
    assert found("", sort="newest") == ["Cheap", "Dear", "Middle"]
    with pytest.raises(UnknownSort, match="choose one of: title, price, -price, newest"):
        found("", sort="colour")


def test_pages_are_numbered_and_a_page_past_the_last_is_the_last(book: ProductType) -> None:
    for number in range(5):
        sell(f"Volume {number}")

    page = search_products(page=9, page_size=2)

    assert (page.page, page.page_count, page.total) == (3, 3, 5)
    assert titles_of(page.products) == ["Volume 4"]
    assert search_products(search="nothing").page_count == 1


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("search", ["", "volume"])
def test_cursors_walk_the_numbered_listing_forth_and_back(book: ProductType, sort: str, search: str) -> None:
    for number in range(5):
        sell(f"Volume {number}", price_amount=1000 + number // 2)
    listing = titles_of(search_products(search=search, sort=sort).products)

    assert scrolled(search=search, sort=sort) == listing
    second = scroll_products(
        search=search, sort=sort, page_size=2, cursor=_second_cursor(search=search, sort=sort)
    )
    first = scroll_products(search=search, sort=sort, page_size=2, cursor=second.previous_cursor)
    assert titles_of(first.products) == listing[:2]
    assert first.previous_cursor == ""


def _second_cursor(*, search: str, sort: str) -> str:
    return scroll_products(search=search, sort=sort, page_size=2).next_cursor


def test_a_newcomer_does_not_make_another_product_appear_twice(book: ProductType) -> None:
    for price in (500, 600, 700):
        sell(f"At {price}", price_amount=price)
    first = scroll_products(sort="price", page_size=2)
    sell("At 100", price_amount=100)

    assert titles_of(scroll_products(sort="price", page_size=2, cursor=first.next_cursor).products) == [
        "At 700"
    ]


@pytest.mark.parametrize("cursor", ["garbage", "e30=", "WyJpZCIsICJ0ZXh0IiwgMSwgZmFsc2Vd", "é"])
def test_a_cursor_made_up_is_refused(book: ProductType, cursor: str) -> None:
    with pytest.raises(BadCursor, match="without one"):
        scroll_products(cursor=cursor)


def test_a_cursor_of_another_order_is_refused(book: ProductType) -> None:
    for title in ("Emma", "Faust", "Hamlet"):
        sell(title)
    cursor = scroll_products(sort="title", page_size=2).next_cursor

    with pytest.raises(BadCursor, match="another listing"):
        scroll_products(sort="price", cursor=cursor)


def test_a_product_tells_what_is_known_of_it(book: ProductType) -> None:
    sell("Faust", sku="FAUST", description="A bargain.", attributes={"pages": 512, "language": "German"})

    product = get_product(slug="faust")

    assert [(detail.label, detail.value) for detail in product.details] == [
        ("Language", "German"),
        ("Pages", 512),
    ]
    assert (product.description, product.category_name, product.is_active) == ("A bargain.", "Novels", True)
    with pytest.raises(ProductNotFound):
        get_product(slug="faust-ii")


def test_what_is_off_sale_is_still_known_but_not_listed(book: ProductType) -> None:
    sell("Cardenio", sku="LOST", is_active=False)

    assert found("") == []
    assert not get_product(slug="lost").is_active
    assert not products_by_sku(skus=["LOST"])["LOST"].is_active


def test_prices_come_by_sku_in_one_query(
    book: ProductType, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sell("Emma", sku="EMMA", price_amount=890)
    sell("Faust", sku="FAUST", price_amount=1250)

    with django_assert_num_queries(1):
        prices = products_by_sku(skus=["EMMA", "FAUST", "EMMA", "UNHEARD-OF", "\x00"])

    assert {sku: price.price_amount for sku, price in prices.items()} == {"EMMA": 890, "FAUST": 1250}


@pytest.mark.parametrize("count", [1, 30])
def test_a_page_takes_two_queries_however_many_products(
    book: ProductType, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        sell(f"Volume {number}", attributes={"language": "English"})

    with django_assert_num_queries(2):
        search_products(search="volume", category="novels", facets={"language": ["English"]}, sort="title")


@pytest.mark.parametrize(
    "wrong",
    [
        {"price_amount": 0},
        {"currency": "eur"},
        {"title": ""},
        {"attributes": ["English"]},
        {"sku": "with space"},
    ],
)
def test_the_database_refuses_what_cannot_be_sold(book: ProductType, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        sell(**{"title": "Emma", **wrong})


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"language": "Klingon"}, "one of English, French, German"),
        ({"pages": "many"}, "a whole number"),
        ({"pages": True}, "a whole number"),
        ({"colour": "red"}, "not an attribute"),
    ],
)
def test_staff_are_told_which_attribute_does_not_fit(
    book: ProductType, attributes: dict[str, Any], complaint: str
) -> None:
    product = sell("Emma")
    product.attributes = attributes

    with pytest.raises(ValidationError, match=complaint):
        product.full_clean()
