"""Covers: always the same for a product, all words inside, nothing that a strict policy forbids."""

import re
from collections.abc import Iterator
from itertools import combinations
from xml.etree import ElementTree

import pytest
from django.test import Client

from shop.catalogue.reading import DEMO_CATALOGUE, read_catalogue
from shop.covers import cover_url, draw_cover
from shop.covers.lettering import fit_block
from shop.covers.palettes import PALETTES, contrast
from shop.tests.shelf import put_on_shelf, withdraw

SVG = "{http://www.w3.org/2000/svg}"
WIDEST_LETTER = 1.1
AWKWARD = [
    ("W" * 200, "M" * 200),
    ("I", ""),
    ("A " * 90, "B " * 90),
    ("Donaudampfschifffahrtsgesellschaftskapitän", "Hohenzollern-Sigmaringen"),
    (
        "The Life and Opinions of Tristram Shandy, Gentleman, in Nine Volumes, with Black Pages",
        "Laurence Sterne",
    ),
    ("紅樓夢", "曹雪芹"),
    ("?!", "-"),
]


def parse(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawing)  # noqa: S314 - drawn here


def words_on(drawing: str) -> str:
    return " ".join(span.text or "" for span in parse(drawing).iter(f"{SVG}tspan"))


def lines_of(drawing: str) -> Iterator[tuple[str, float, ElementTree.Element]]:
    for text in parse(drawing).iter(f"{SVG}text"):
        for span in text.iter(f"{SVG}tspan"):
            yield span.text or "", float(text.get("font-size", 0)), span


def test_a_product_always_gets_the_same_cover_and_another_one_another() -> None:
    first = draw_cover(sku="FOX-1", title="Emma", byline="Jane Austen")

    assert first == draw_cover(sku="FOX-1", title="Emma", byline="Jane Austen")
    assert first != draw_cover(sku="FOX-2", title="Emma", byline="Jane Austen")


def test_the_demo_shop_has_no_two_covers_alike() -> None:
    products = read_catalogue(path=DEMO_CATALOGUE).products
    same_words = {draw_cover(sku=product.sku, title="Emma", byline="Jane Austen") for product in products}

    assert len(same_words) > 0.97 * len(products)


def test_every_cover_of_the_demo_shop_says_its_title_and_author() -> None:
    for product in read_catalogue(path=DEMO_CATALOGUE).products:
        said = words_on(draw_cover(sku=product.sku, title=product.title, byline=product.byline)).casefold()
        for word in re.findall(r"\w+", f"{product.title} {product.byline}".casefold()):
            assert word in said, product.title


@pytest.mark.parametrize(("title", "byline"), AWKWARD)
def test_no_words_leave_the_cover_however_long(title: str, byline: str) -> None:
    for number in range(40):
        for line, size, span in lines_of(draw_cover(sku=f"S-{number}", title=title, byline=byline)):
            if size < 400:  # a page-high initial may bleed
                assert size * 0.7 < float(span.get("y", 0)) < 600 - size * 0.2, line
                assert size >= 9, line


def test_lines_are_cut_to_the_box_with_an_ellipsis_when_nothing_else_helps() -> None:
    block = fit_block(text="W" * 500, width=100, height=40, largest=30, smallest=10)

    assert block.height <= 40
    assert max(len(line) for line in block.lines) * 10 * WIDEST_LETTER <= 100 * WIDEST_LETTER
    assert block.lines[-1].endswith("…")


def test_lines_are_broken_evenly() -> None:
    block = fit_block(text="The Hound of the Baskervilles", width=300, height=130, largest=40, smallest=10)

    assert "the" not in {line.casefold() for line in block.lines}


def test_words_stay_words() -> None:
    for number in range(60):
        drawing = draw_cover(sku=f"S-{number}", title='<script>x</script> & "y"', byline="<img onerror='x'>")
        assert {element.tag for element in parse(drawing).iter()}.isdisjoint({f"{SVG}script", f"{SVG}img"})
        assert "onerror=" not in drawing.replace("&lt;IMG ONERROR", "")


def test_a_cover_needs_no_style_sheet_no_script_and_nothing_from_elsewhere() -> None:
    for number in range(200):
        drawing = draw_cover(sku=f"S-{number}", title="Emma", byline="Jane Austen")
        assert not re.search(r"<(style|script|image|foreignObject)|\s(style|on\w+)=|href=\"[^#]", drawing)
        assert len(drawing) < 20_000


def test_every_palette_can_be_read_and_differs_from_the_others() -> None:
    for palette in PALETTES:
        assert contrast(palette.ground, palette.ink) >= 7
    assert all(one.ground != other.ground for one, other in combinations(PALETTES, 2))


@pytest.mark.django_db
def test_the_address_of_a_cover_may_be_kept_for_ever_and_changes_with_the_title(client: Client) -> None:
    product = put_on_shelf(sku="FOX-1", title="Emma")
    address = cover_url(sku="FOX-1", title="Emma", byline=product.byline)

    response = client.get(address)

    assert response["Content-Type"] == "image/svg+xml"
    assert "Emma" in words_on(response.content.decode()) or "EMMA" in words_on(response.content.decode())
    assert "immutable" in response["Cache-Control"]
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert cover_url(sku="FOX-1", title="Emma, revised", byline=product.byline) != address


@pytest.mark.django_db
def test_an_address_without_its_version_is_answered_but_not_kept_for_ever(client: Client) -> None:
    put_on_shelf(sku="FOX-1")

    assert "immutable" not in client.get("/covers/FOX-1.svg")["Cache-Control"]


@pytest.mark.django_db
def test_a_product_off_sale_keeps_its_cover_and_an_unknown_one_has_none(client: Client) -> None:
    put_on_shelf(sku="FOX-1")
    withdraw(sku="FOX-1")

    assert client.get("/covers/FOX-1.svg").status_code == 200
    assert client.get("/covers/FOX-2.svg").status_code == 404
