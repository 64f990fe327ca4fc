"""Reads a catalogue from a TOML file; foxglove.toml, the demo shop's own, shows every field."""

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shop.attributes import BadAttributes, Definition, check_attributes

DEMO_CATALOGUE = Path(__file__).with_name("foxglove.toml")

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Line = Annotated[str, Meta(min_length=1, max_length=200)]


class BadCatalogue(ValueError):
    """A catalogue file cannot be loaded; the message names the file, the entry, and what is wrong with it."""


class ProductTypeEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The one kind of product that a file holds."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    attributes: tuple[Definition, ...] = ()


class CategoryEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shelf; shelves stand in the order of the file."""

    slug: Slug
    name: Annotated[str, Meta(min_length=1, max_length=60)]


class ProductEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product; `price` in minor units, `stock` the pieces the shop opens with."""

    sku: Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9-]*$", max_length=40)]
    slug: Slug
    title: Line
    byline: Annotated[str, Meta(max_length=200)] = ""
    category: Slug
    price: Annotated[int, Meta(gt=0, le=2_147_483_647)]
    stock: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    description: str = ""
    attributes: dict[str, Any] = {}


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file: one product type, its shelves, its products."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
    product_type: ProductTypeEntry
    categories: tuple[CategoryEntry, ...]
    products: tuple[ProductEntry, ...]


def read_catalogue(*, path: Path) -> Catalogue:
    """Return the catalogue in the file at `path`. Raises `BadCatalogue` when it cannot be used."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        catalogue = _convert(document=document)
        _check_references(catalogue=catalogue)
    except OSError as error:
        raise BadCatalogue(f"Cannot read {path}: {error.strerror}. Name a catalogue file in TOML.") from error
    except ValueError as error:
        raise BadCatalogue(f"{path.name}: {error}") from error
    return catalogue


def _convert(*, document: dict[str, Any]) -> Catalogue:
    """Products one by one, so that a mistake is told by the product's SKU and not by its number alone."""
    entries = document.get("products", [])
    if not isinstance(entries, list):
        raise BadCatalogue("'products' must be a list of [[products]] tables")
    products = [_convert_product(entry=entry, number=number) for number, entry in enumerate(entries, start=1)]
    return msgspec.convert({**document, "products": products}, Catalogue)


def _convert_product(*, entry: Any, number: int) -> ProductEntry:
    try:
        return msgspec.convert(entry, ProductEntry)
    except msgspec.ValidationError as error:
        sku = entry.get("sku", "without sku") if isinstance(entry, dict) else "not a table"
        raise BadCatalogue(f"product {number} ({sku}): {error}") from error


def _check_references(*, catalogue: Catalogue) -> None:
    _check_unique(what="product sku", values=(product.sku for product in catalogue.products))
    _check_unique(what="product slug", values=(product.slug for product in catalogue.products))
    _check_unique(what="category slug", values=(category.slug for category in catalogue.categories))
    shelves = {category.slug for category in catalogue.categories}
    for product in catalogue.products:
        _check_product(product=product, shelves=shelves, definitions=catalogue.product_type.attributes)


def _check_product(*, product: ProductEntry, shelves: set[str], definitions: tuple[Definition, ...]) -> None:
    if product.category not in shelves:
        raise BadCatalogue(f"product {product.sku}: there is no category '{product.category}'")
    try:
        check_attributes(definitions=definitions, attributes=product.attributes)
    except BadAttributes as error:
        raise BadCatalogue(f"product {product.sku}: {error}") from error


def _check_unique(*, what: str, values: Iterable[str]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise BadCatalogue(f"{what} used more than once: {', '.join(twice)}; each must be its own")
