"""Filling the shop: the demo catalogue, another shop's file, and products made up for load."""

import re
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from inventory.selectors import stock_levels
from inventory.services import adjust_stock
from shop.catalogue.reading import DEMO_CATALOGUE, BadCatalogue, read_catalogue
from shop.models import Product
from shop.selectors import list_categories, list_facets, search_products

TEAS = """
currency = "GBP"

[product_type]
name = "Tea"

[[product_type.attributes]]
key = "origin"
label = "Origin"
kind = "choice"
choices = ["Assam", "Uji"]
is_facet = true

[[categories]]
slug = "green"
name = "Green tea"

[[products]]
sku = "TEA-1"
slug = "gyokuro"
title = "Gyokuro"
category = "green"
price = 1800
stock = 7
attributes = { origin = "Uji" }
"""


@pytest.fixture
def teas(tmp_path: Path) -> Path:
    file = tmp_path / "teas.toml"
    file.write_text(TEAS, encoding="utf-8")
    return file


def test_the_demo_catalogue_is_large_varied_and_plausible() -> None:
    products = read_catalogue(path=DEMO_CATALOGUE).products
    languages = {product.attributes["language"] for product in products}

    assert len(products) >= 160
    assert 8 <= len({product.category for product in products}) <= 10
    assert len(languages) >= 15
    assert all(390 <= product.price <= 3400 for product in products)
    assert all(60 <= product.attributes["pages"] <= 2500 for product in products)
    assert all(80 <= len(product.description) <= 400 for product in products)
    assert min(Counter(product.category for product in products).values()) >= 15


def test_every_demo_book_stands_in_the_period_of_its_year() -> None:
    for product in read_catalogue(path=DEMO_CATALOGUE).products:
        first_published = product.attributes["first_published"]
        year = int(re.search(r"\d+", first_published)[0])  # type: ignore[index]
        assert product.attributes["period"] == _period(year=-year if "BC" in first_published else year), (
            product.sku
        )


def _period(*, year: int) -> str:
    if year < 500:
        return "Antiquity"
    return "Middle Ages" if year <= 1500 else f"{(year + 99) // 100}th century"


@pytest.mark.django_db
def test_load_demo_fills_the_shop_with_books_and_stock() -> None:
    call_command("load_demo", verbosity=0)

    page = search_products()
    assert page.total >= 160
    assert len({product.category_slug for product in page.products}) == len(list_categories())
    assert {facet.key for facet in list_facets()} == {"language", "period", "subject"}
    levels = stock_levels(skus=["FOX-LAST10", "FOX-SOLDOUT"])
    assert levels == {"FOX-LAST10": 10, "FOX-SOLDOUT": 0}


@pytest.mark.django_db
def test_load_demo_again_keeps_what_staff_have_changed() -> None:
    call_command("load_demo", verbosity=0)
    Product.objects.filter(sku="FOX-PRIDE").update(price_amount=1, title="Pride")
    adjust_stock(sku="FOX-LAST10", quantity=-4, note="sold at the fair", by="the test")
    Product.objects.filter(sku="FOX-KIM").delete()
    before = Product.objects.count()

    call_command("load_demo", verbosity=0)

    pride = Product.objects.get(sku="FOX-PRIDE")
    assert (pride.price_amount, pride.title) == (1, "Pride")
    assert stock_levels(skus=["FOX-LAST10"]) == {"FOX-LAST10": 6}
    assert Product.objects.count() == before + 1


@pytest.mark.django_db
def test_another_shop_brings_its_own_file(teas: Path) -> None:
    call_command("load_products", teas, verbosity=0)

    (tea,) = search_products(facets={"origin": ["Uji"]}).products
    assert (tea.title, tea.price_amount, tea.currency, tea.category_name) == (
        "Gyokuro",
        1800,
        "GBP",
        "Green tea",
    )
    assert stock_levels(skus=["TEA-1"]) == {"TEA-1": 7}


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("price = 1800", "price = 0", r"product 1 \(TEA-1\).*>= 1.*price"),
        ("price = 1800", 'price = "18.00"', r"product 1 \(TEA-1\).*int.*price"),
        ('sku = "TEA-1"', 'sku = "tea 1"', r"product 1 \(tea 1\).*sku"),
        ("stock = 7", "stok = 7", r"product 1 \(TEA-1\).*stok"),
        ('category = "green"', 'category = "black"', "product TEA-1: there is no category 'black'"),
        (
            'origin = "Uji"',
            'origin = "Mars"',
            "product TEA-1: 'origin' must be one of Assam, Uji, not 'Mars'",
        ),
        ('currency = "GBP"', 'currency = "pounds"', "currency"),
        ("[[products]]", "[[products]", r"line 18"),
        ("[[products]]", "[products]", "must be a list"),
    ],
)
def test_a_mistake_in_a_file_is_told_by_file_and_entry(
    teas: Path, before: str, after: str, complaint: str
) -> None:
    teas.write_text(TEAS.replace(before, after), encoding="utf-8")

    with pytest.raises(BadCatalogue, match=rf"(?s)^teas\.toml: .*{complaint}"):
        read_catalogue(path=teas)


def test_a_file_names_each_product_once(teas: Path) -> None:
    entry = TEAS[TEAS.index("[[products]]") :]
    teas.write_text(TEAS + entry, encoding="utf-8")

    with pytest.raises(BadCatalogue, match="sku used more than once: TEA-1"):
        read_catalogue(path=teas)


@pytest.mark.django_db
def test_a_file_with_a_mistake_loads_nothing(teas: Path) -> None:
    teas.write_text(TEAS + TEAS[TEAS.index("[[products]]") :].replace("1800", "-1"), encoding="utf-8")

    with pytest.raises(CommandError, match="product 2"):
        call_command("load_products", teas, verbosity=0)
    assert search_products().total == 0


@pytest.mark.django_db
def test_an_address_that_is_taken_is_refused(teas: Path) -> None:
    call_command("load_products", teas, verbosity=0)
    teas.write_text(TEAS.replace("TEA-1", "TEA-2"), encoding="utf-8")

    with pytest.raises(CommandError, match="'gyokuro' belongs to TEA-1"):
        call_command("load_products", teas, verbosity=0)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match=r"Cannot read .*nowhere\.toml"):
        read_catalogue(path=tmp_path / "nowhere.toml")


@pytest.mark.django_db
def test_any_number_of_products_can_be_made_up(teas: Path) -> None:
    call_command("load_products", teas, verbosity=0)

    call_command("load_products", generate=30, verbosity=0)
    call_command("load_products", generate=12, verbosity=0)

    made_up = Product.objects.filter(sku__startswith="GEN-")
    assert made_up.count() == 42
    assert {product.attributes["origin"] for product in made_up} == {"Assam", "Uji"}
    assert stock_levels(skus=["GEN-0000042"])["GEN-0000042"] > 0


@pytest.mark.django_db
def test_an_empty_shop_has_nothing_to_make_up_more_of() -> None:
    with pytest.raises(CommandError, match="load_demo"):
        call_command("load_products", generate=5)
