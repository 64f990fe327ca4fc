"""Makes up products, any number of them, for load tests: plausible titles, spread over shelves and facets."""

from collections.abc import Iterator, Sequence

from shop.attributes import Definition
from shop.catalogue.reading import ProductEntry

GENERATED_SKUS = "GEN-"
_THINGS = ("Lantern", "Harbour", "Orchard", "Almanac", "Sparrow", "Causeway", "Estuary", "Foundry", "Compass")
_PLACES = ("Kestrel Hill", "the Lower Town", "Saint Osyth", "the Salt Road", "Long Acre", "the North Quay")
_FIRST = ("Ada", "Bertil", "Clara", "Dorrit", "Emeric", "Flora", "Goran", "Hanneke", "Ivo", "Livia", "Matteo")
_LAST = (
    "Ashdown",
    "Brandt",
    "Calloway",
    "Duval",
    "Ekberg",
    "Farkas",
    "Grimaldi",
    "Holm",
    "Kowal",
    "Lindqvist",
)


def generate_products(
    *, count: int, start: int, categories: Sequence[str], definitions: Sequence[Definition]
) -> Iterator[ProductEntry]:
    """Yield `count` products numbered from `start`; the same number always makes the same product.

    `categories` are slugs to spread them over, `definitions` those of their product type.
    """
    for number in range(start, start + count):
        yield _make_product(number=number, category=_pick(categories, number), definitions=definitions)


def _make_product(*, number: int, category: str, definitions: Sequence[Definition]) -> ProductEntry:
    thing, place = _pick(_THINGS, number), _pick(_PLACES, number // 5)
    return ProductEntry(
        sku=f"{GENERATED_SKUS}{number:07}",
        slug=f"made-up-{number}",
        title=f"The {thing} of {place}, No. {number}",
        byline=f"{_pick(_FIRST, number // 3)} {_pick(_LAST, number // 7)}",
        category=category,
        price=390 + number * 37 % 3000,
        stock=1000,
        description=f"Made up for load tests: a {thing.lower()}, {place}, number {number} of a long series.",
        attributes={definition.key: _make_value(definition, number) for definition in definitions},
    )


def _make_value(definition: Definition, number: int) -> str | int:
    if definition.kind == "integer":
        return 100 + number % 700
    return _pick(definition.choices, number // 2) if definition.kind == "choice" else str(1800 + number % 130)


def _pick(values: Sequence[str], number: int) -> str:
    return values[number % len(values)]
