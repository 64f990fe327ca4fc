"""Reads of the catalogue: frozen values out, a constant number of queries each.

How many pieces are left is not known here: ask `inventory.selectors.stock_levels` for the SKUs of a page.
"""

import base64
import binascii
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Case, Expression, Q, QuerySet, When

from shop.covers import cover_url
from shop.faceting import FacetCounts, count_facets
from shop.models import Attribute, Category, Product
from shop.search import find_terms, match_terms, rank_terms

PAGE_SIZE = 24
_PRICE_FIELDS = ("sku", "slug", "title", "byline", "price_amount", "currency", "is_active")
# No SKU holds the separator. An array would cost the driver more than all else here.
_SEPARATOR = "\x1f"
_PRICES = f"SELECT {', '.join(_PRICE_FIELDS)} FROM shop_product WHERE sku = ANY(string_to_array(%s, chr(31)))"  # noqa: S608  (constants)
SORTS = {"": "id", "title": "sort_title", "price": "price_amount", "-price": "-price_amount", "newest": "-id"}


class ProductNotFound(LookupError):
    """No product has this slug, and none ever had; answer 404."""


class UnknownSort(ValueError):
    """Products cannot be sorted like this; the message lists the orders that exist."""


class BadCursor(ValueError):
    """The cursor was not made by this listing; begin again without one."""


class CategoryValue(msgspec.Struct, frozen=True, kw_only=True):
    """A shelf of the shop."""

    slug: str
    name: str


class FacetValue(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute that products can be filtered by; `choices` is empty where any text may stand."""

    key: str
    label: str
    choices: tuple[str, ...]


class ProductSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A product as a list shows it. `price_amount` is in minor units of `currency`."""

    sku: str
    slug: str
    title: str
    byline: str
    category_slug: str
    category_name: str
    price_amount: int
    currency: str
    attributes: dict[str, Any]
    cover_url: str


class LabelledAttribute(msgspec.Struct, frozen=True, kw_only=True):
    """Something known of a product, with the words for what it is."""

    key: str
    label: str
    value: str | int


class ProductDetail(ProductSummary, frozen=True, kw_only=True):
    """A product as its own page shows it. One that is not active is no longer sold: answer 410."""

    description: str
    details: tuple[LabelledAttribute, ...]
    is_active: bool
    created_at: datetime


class ProductPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What a cart or a checkout needs to know of a product now."""

    sku: str
    slug: str
    title: str
    byline: str
    price_amount: int
    currency: str
    is_active: bool

    @property
    def cover_url(self) -> str:
        """Where the cover is found."""
        return cover_url(sku=self.sku, title=self.title, byline=self.byline)


class ProductPage(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered page of a listing; `page` counts from 1, `total` counts products over all pages.

    `facet_counts[key][value]` says how many products that value would leave under all the other filters.
    """

    products: tuple[ProductSummary, ...]
    total: int
    page: int
    page_count: int
    facet_counts: dict[str, Counter[str]]


class ProductSlice(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a listing with the cursors of its neighbours; empty text where there is none."""

    products: tuple[ProductSummary, ...]
    next_cursor: str
    previous_cursor: str


def list_categories() -> tuple[CategoryValue, ...]:
    """Return every shelf in the shop's order. One query."""
    shelves = Category.objects.order_by("position", "name").values_list("slug", "name")
    return tuple(CategoryValue(slug=slug, name=name) for slug, name in shelves)


def list_facets() -> tuple[FacetValue, ...]:
    """Return what products can be filtered by, over all product types. One query."""
    facets: dict[str, FacetValue] = {}
    for facet in Attribute.objects.filter(is_facet=True):
        value = FacetValue(key=facet.key, label=facet.label, choices=tuple(facet.choices))
        facets.setdefault(facet.key, value)
    return tuple(facets.values())


def search_products(
    *,
    search: str = "",
    category: str = "",
    facets: Mapping[str, Sequence[str]] | None = None,
    sort: str = "",
    page: int = 1,
    page_size: int = PAGE_SIZE,
    facet_keys: Sequence[str] = (),
) -> ProductPage:
    """Return a numbered page of the products for sale. Two queries, whatever the catalogue's size.

    `category` is a slug; `facets` maps an attribute's key to the values wanted, any of which will do;
    `sort` is a key of `SORTS`, empty for the best match first (or the shop's own order without `search`).
    The values of `facet_keys` are counted. A page past the last is the last. Raises `UnknownSort`.
    """
    found = _find_products(search=search, category=category, facets=facets or {})
    counts = _count(search=search, category=category, facets=facets or {}, keys=facet_keys)
    page_count = max(1, math.ceil(counts.total / page_size))
    page = min(max(page, 1), page_count)
    field = _sort_field(search=search, sort=sort)
    rows = _order(products=found, field=field, search=search)[(page - 1) * page_size : page * page_size]
    return ProductPage(
        products=_summarise(products=rows),
        total=counts.total,
        page=page,
        page_count=page_count,
        facet_counts=counts.by_value,
    )


def count_products(
    *, search: str = "", category: str = "", facets: Mapping[str, Sequence[str]] | None = None
) -> int:
    """Return how many products for sale a listing would show. One query."""
    return _find_products(search=search, category=category, facets=facets or {}).count()


def similar_products(*, product: ProductDetail, limit: int) -> tuple[ProductSummary, ...]:
    """Return other products for sale from the same shelf: the same byline first, then most attributes in common.

    One query.
    """
    likeness: Expression = Case(When(byline=product.byline, then=len(product.attributes) + 1), default=0)
    for key, value in product.attributes.items():
        likeness = likeness + Case(When(attributes__contains={key: value}, then=1), default=0)
    shelf = Product.objects.filter(is_active=True, category__slug=product.category_slug)
    others = shelf.exclude(sku=product.sku).annotate(likeness=likeness).order_by("-likeness", "id")
    return _summarise(
        products=others.select_related("category").defer("search_vector", "description")[:limit]
    )


def scroll_products(
    *,
    search: str = "",
    category: str = "",
    facets: Mapping[str, Sequence[str]] | None = None,
    sort: str = "",
    cursor: str = "",
    page_size: int = PAGE_SIZE,
) -> ProductSlice:
    """Return the products for sale after `cursor`, in the listing that `search_products` numbers. One query.

    Products that come or go meanwhile neither repeat nor hide others. Raises `UnknownSort`, `BadCursor`.
    """
    field = _sort_field(search=search, sort=sort)
    place = _read_cursor(cursor=cursor, field=field)
    found = _find_products(search=search, category=category, facets=facets or {})
    rows = _rows_from(products=_order(products=found, field=field, search=search), field=field, place=place)
    return _slice(rows=list(rows[: page_size + 1]), field=field, place=place, page_size=page_size)


def get_product(*, slug: str) -> ProductDetail:
    """Return the product, also one no longer sold. Two queries. Raises `ProductNotFound`."""
    try:
        product = Product.objects.select_related("category").get(slug=slug)
    except Product.DoesNotExist as error:
        raise ProductNotFound(f"No product has the slug '{slug}'.") from error
    return ProductDetail(
        **_summary_fields(product=product),
        description=product.description,
        details=_label_attributes(product=product),
        is_active=product.is_active,
        created_at=product.created_at,
    )


def products_by_sku(*, skus: Iterable[str]) -> dict[str, ProductPrice]:
    """Return what is known of each SKU now; one that never existed is left out. One query."""
    # Every checkout waits for this: by hand, it takes a quarter of what the ORM takes.
    with connection.cursor() as cursor:
        cursor.execute(_PRICES, [_SEPARATOR.join(sku for sku in set(skus) if "\0" not in sku)])
        return {
            row[0]: ProductPrice(**dict(zip(_PRICE_FIELDS, row, strict=True))) for row in cursor.fetchall()
        }


def _find_products(*, search: str, category: str, facets: Mapping[str, Sequence[str]]) -> QuerySet[Product]:
    products = Product.objects.filter(is_active=True)
    if terms := find_terms(text=search):
        products = products.filter(search_vector=match_terms(terms=terms))
    if category:
        products = products.filter(category__slug=_storable(category))
    for key, values in facets.items():
        products = products.filter(_any_of(key=key, values=values))
    return products


def _count(
    *, search: str, category: str, facets: Mapping[str, Sequence[str]], keys: Sequence[str]
) -> FacetCounts:
    every = list(dict.fromkeys([*keys, *facets]))
    products = _find_products(search=search, category=category, facets={})
    return count_facets(products=products, keys=every, chosen=facets)


def _any_of(*, key: str, values: Sequence[str]) -> Q:
    wanted = Q()
    for value in values:
        wanted |= Q(attributes__contains={_storable(key): _storable(value)})
    return wanted


def _storable(text: str) -> str:
    """Return `text` without the one character that PostgreSQL refuses, so that odd addresses find nothing."""
    return text.replace("\0", "\ufffd")


def _sort_field(*, search: str, sort: str) -> str:
    if sort not in SORTS:
        raise UnknownSort(f"Cannot sort by '{sort}'; choose one of: {', '.join(filter(None, SORTS))}.")
    return "-relevance" if not sort and find_terms(text=search) else SORTS[sort]


def _order(*, products: QuerySet[Product], field: str, search: str) -> QuerySet[Product]:
    if field == "-relevance":
        products = products.annotate(relevance=rank_terms(terms=find_terms(text=search)))
    shown = products.select_related("category").defer("search_vector", "description")
    return shown.order_by(field, "-id" if field.startswith("-") else "id")


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a cursor stands: beside the product `id` whose sort field has `value`, looking one way."""

    field: str
    value: str | int
    id: int
    backwards: bool


def _read_cursor(*, cursor: str, field: str) -> _Place | None:
    if not cursor:
        return None
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=_Place)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise BadCursor("This cursor cannot be read; ask for the first page without one.") from error
    if place.field != field or not _is_sortable(value=place.value, field=field):
        raise BadCursor("This cursor belongs to another listing; ask for the first page without one.")
    return place


def _is_sortable(*, value: str | int, field: str) -> bool:
    if field == "sort_title":
        return isinstance(value, str) and "\0" not in value
    return isinstance(value, int)


def _write_cursor(*, products: list[Product], field: str, backwards: bool) -> str:
    if not products:
        return ""
    place = _Place(field, getattr(products[0], field.lstrip("-")), products[0].pk, backwards)
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _rows_from(*, products: QuerySet[Product], field: str, place: _Place | None) -> QuerySet[Product]:
    if not place:
        return products
    if place.backwards:
        products = products.reverse()
    name, side = field.lstrip("-"), "lt" if field.startswith("-") != place.backwards else "gt"
    beyond = Q(**{f"{name}__{side}": place.value}) | Q(**{name: place.value, f"id__{side}": place.id})
    return products.filter(beyond, **{f"{name}__{side}e": place.value})


def _slice(*, rows: list[Product], field: str, place: _Place | None, page_size: int) -> ProductSlice:
    backwards, more = bool(place and place.backwards), len(rows) > page_size
    rows = rows[:page_size][::-1] if backwards else rows[:page_size]
    has_next, has_previous = (True, more) if backwards else (more, bool(place))
    return ProductSlice(
        products=_summarise(products=rows),
        next_cursor=_write_cursor(products=rows[-1:] if has_next else [], field=field, backwards=False),
        previous_cursor=_write_cursor(products=rows[:1] if has_previous else [], field=field, backwards=True),
    )


def _summarise(*, products: Iterable[Product]) -> tuple[ProductSummary, ...]:
    return tuple(ProductSummary(**_summary_fields(product=product)) for product in products)


def _summary_fields(*, product: Product) -> dict[str, Any]:
    return {
        "sku": product.sku,
        "slug": product.slug,
        "title": product.title,
        "byline": product.byline,
        "category_slug": product.category.slug,
        "category_name": product.category.name,
        "price_amount": product.price_amount,
        "currency": product.currency,
        "attributes": product.attributes,
        "cover_url": _cover_url(product=product),
    }


def _label_attributes(*, product: Product) -> tuple[LabelledAttribute, ...]:
    values = product.attributes
    definitions = Attribute.objects.filter(product_type=product.product_type_id, key__in=values)
    return tuple(
        LabelledAttribute(key=definition.key, label=definition.label, value=values[definition.key])
        for definition in definitions
    )


def _cover_url(*, product: Product) -> str:
    return cover_url(sku=product.sku, title=product.title, byline=product.byline)
