"""How many products each value of a facet would leave, and the size of a listing, from one pass over the catalogue."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from django.db.models import Count, QuerySet
from django.db.models.fields.json import KeyTextTransform

from shop.models import Product


class FacetCounts(msgspec.Struct, frozen=True, kw_only=True):
    """`total` products fit every facet chosen; `by_value[key][value]` fit the other facets and have this value."""

    total: int
    by_value: dict[str, Counter[str]]


def count_facets(
    *, products: QuerySet[Product], keys: Sequence[str], chosen: Mapping[str, Sequence[str]]
) -> FacetCounts:
    """Count `products`, which are not yet cut down by the facets `chosen`. One query.

    The database adds up equal combinations of values; there are far fewer of those than products, and every count
    asked for is a sum of some of them.
    """
    if not keys:
        return FacetCounts(total=products.count(), by_value={})
    by_value: dict[str, Counter[str]] = {key: Counter() for key in keys}
    total = 0
    for values, count in _combinations(products=products, keys=keys):
        missed = [key for key in chosen if values.get(key) not in chosen[key]]
        total += 0 if missed else count
        for key in missed if len(missed) == 1 else () if missed else keys:
            if value := values.get(key):
                by_value[key][value] += count
    return FacetCounts(total=total, by_value=by_value)


def _combinations(
    *, products: QuerySet[Product], keys: Sequence[str]
) -> Iterable[tuple[dict[str, str | None], int]]:
    columns = {f"value_{number}": KeyTextTransform(key, "attributes") for number, key in enumerate(keys)}
    grouped = products.order_by().values(**columns).annotate(found=Count("*"))
    for row in grouped.values_list(*columns, "found"):
        yield dict(zip(keys, row, strict=False)), row[-1]
