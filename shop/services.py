"""Writes to the catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice, zip_longest

from django.db import transaction
from uuid_utils.compat import uuid7

from events import publish
from events.products import PriceChanged
from inventory.services import open_stock
from shop.attributes import Definition
from shop.catalogue.generating import GENERATED_SKUS, generate_products
from shop.catalogue.reading import Catalogue, CategoryEntry, ProductEntry
from shop.models import Attribute, Category, Coupon, Product, ProductType
from shop.spelling import learn_words, words_of_product

_BATCH = 2000


_DEMO_COUPONS: dict[str, dict[str, int]] = {
    "FOXGLOVE10": {"percent": 10},
    "WELCOME5": {"amount": 500, "minimum_subtotal": 2000, "most_uses_each": 1},
    "LASTONE": {"percent": 50, "most_uses": 1},
}


class SlugTaken(ValueError):
    """A new product wants the address of another that is already in the shop; give it another slug."""


class EmptyShop(RuntimeError):
    """There is nothing yet to make up more of; load a catalogue first (`manage.py load_demo`)."""


@transaction.atomic
def save_product(*, product: Product) -> None:
    """Save a product as staff have made it, and tell others when it costs more or less than before."""
    known = Product.objects.select_for_update().filter(pk=product.pk)
    before = known.values_list("price_amount", flat=True).first()
    product.save()
    learn_words(
        texts=words_of_product(title=product.title, byline=product.byline, attributes=product.attributes)
    )
    if before is not None and before != product.price_amount:
        publish(
            PriceChanged(sku=product.sku, before=before, now=product.price_amount, currency=product.currency),
            aggregate_type="price_change",
            aggregate_id=uuid7(),
            version=1,
        )


@transaction.atomic
def load_catalogue(*, catalogue: Catalogue) -> int:
    """Put in what the shop does not have yet, with its opening stock; return how many products that was.

    What is there already is left as staff have made it: a second run changes nothing. Raises `SlugTaken`.
    """
    product_type = _load_product_type(catalogue=catalogue)
    _load_categories(entries=catalogue.categories)
    entries = _one_of_each_shelf_in_turn(entries=catalogue.products)
    return _add_products(entries=entries, product_type=product_type, currency=catalogue.currency)


def load_demo_coupons() -> None:
    """Put in the demo shop's coupons where they are missing: a part, an amount, and one with a single use."""
    for code, values in _DEMO_COUPONS.items():
        Coupon.objects.get_or_create(code=code, defaults=values)


def generate_catalogue(*, count: int) -> int:
    """Make up `count` further products of the first product type, for load tests; return `count`.

    Raises `EmptyShop` where there is no product type or shelf to put them on.
    """
    product_type, categories = ProductType.objects.first(), _category_slugs()
    if not product_type or not categories:
        raise EmptyShop("There is no product type or no shelf yet: run `manage.py load_demo` first.")
    entries = generate_products(
        count=count, start=_next_number(), categories=categories, definitions=product_type.define_attributes()
    )
    while batch := list(islice(entries, _BATCH)):
        with transaction.atomic():
            _add_products(entries=batch, product_type=product_type, currency="EUR")
    return count


def _load_product_type(*, catalogue: Catalogue) -> ProductType:
    product_type, _ = ProductType.objects.get_or_create(name=catalogue.product_type.name)
    definitions = enumerate(catalogue.product_type.attributes)
    attributes = [_attribute(product_type, definition, position) for position, definition in definitions]
    Attribute.objects.bulk_create(attributes, ignore_conflicts=True)
    return product_type


def _attribute(product_type: ProductType, definition: Definition, position: int) -> Attribute:
    return Attribute(
        product_type=product_type,
        key=definition.key,
        label=definition.label,
        kind=definition.kind,
        choices=list(definition.choices),
        is_facet=definition.is_facet,
        position=position,
    )


def _load_categories(*, entries: Iterable[CategoryEntry]) -> None:
    categories = [
        Category(slug=entry.slug, name=entry.name, position=position)
        for position, entry in enumerate(entries)
    ]
    Category.objects.bulk_create(categories, ignore_conflicts=True)


def _one_of_each_shelf_in_turn(*, entries: Iterable[ProductEntry]) -> list[ProductEntry]:
    """Return the entries mixed, so that the first page of the shop shows something of every shelf."""
    shelves = defaultdict(list)
    for entry in entries:
        shelves[entry.category].append(entry)
    return [entry for turn in zip_longest(*shelves.values()) for entry in turn if entry]


def _add_products(*, entries: Sequence[ProductEntry], product_type: ProductType, currency: str) -> int:
    known = set(
        Product.objects.filter(sku__in=[entry.sku for entry in entries]).values_list("sku", flat=True)
    )
    new = [entry for entry in entries if entry.sku not in known]
    _check_slugs(entries=new)
    category_ids = dict(Category.objects.values_list("slug", "id"))
    products = [_product(entry, product_type, category_ids[entry.category], currency) for entry in new]
    Product.objects.bulk_create(products, batch_size=_BATCH)
    learn_words(texts=[text for entry in entries for text in _searched_texts(entry=entry)])
    open_stock(quantities={entry.sku: entry.stock for entry in entries})
    return len(new)


def _searched_texts(*, entry: ProductEntry) -> list[str]:
    return words_of_product(title=entry.title, byline=entry.byline, attributes=entry.attributes)


def _product(entry: ProductEntry, product_type: ProductType, category_id: int, currency: str) -> Product:
    return Product(
        sku=entry.sku,
        slug=entry.slug,
        product_type=product_type,
        category_id=category_id,
        title=entry.title,
        byline=entry.byline,
        description=entry.description,
        price_amount=entry.price,
        currency=currency,
        attributes=entry.attributes,
    )


def _check_slugs(*, entries: Iterable[ProductEntry]) -> None:
    taken = Product.objects.filter(slug__in=[entry.slug for entry in entries]).first()
    if taken:
        raise SlugTaken(f"The slug '{taken.slug}' belongs to {taken.sku}; give the new product another.")


def _category_slugs() -> list[str]:
    return list(Category.objects.values_list("slug", flat=True))


def _next_number() -> int:
    last = Product.objects.filter(sku__startswith=GENERATED_SKUS).order_by("-sku").first()
    return int(last.sku.removeprefix(GENERATED_SKUS)) + 1 if last else 1
