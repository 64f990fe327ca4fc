"""Writing the read models: by adding to them, so that adding and rebuilding can go on side by side."""

from collections import Counter

from django.db import connection, transaction

from analytics.models import HourlyFigure, ProductFigures
from analytics.projection import HEARD, Figures, HourKey, ProductKey
from workers import Worker
from workers.replay import read_handled

_ADD_HOURS = """
    INSERT INTO analytics_hourlyfigure AS known (hour, figure, currency, value)
    SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::text[], %s::bigint[])
    ON CONFLICT (hour, figure, currency) DO UPDATE SET value = known.value + excluded.value
"""
_ADD_PRODUCTS = """
    INSERT INTO analytics_productfigures AS known (sku, currency, title, ordered, sold, revenue)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
    ON CONFLICT (sku, currency) DO UPDATE SET
        title = CASE WHEN excluded.title = '' THEN known.title ELSE excluded.title END,
        ordered = known.ordered + excluded.ordered,
        sold = known.sold + excluded.sold,
        revenue = known.revenue + excluded.revenue
"""


def add_figures(*, figures: Figures) -> None:
    """In the caller's transaction: add to the read models, one statement each.

    Rows are written in the order of their keys, so that two writers never wait for each other in a circle.
    """
    hours = sorted((*key, value) for key, value in figures.hours.items() if value)
    products = sorted(_product_rows(figures=figures))
    with connection.cursor() as cursor:
        if hours:
            cursor.execute(_ADD_HOURS, [list(column) for column in zip(*hours, strict=True)])
        if products:
            cursor.execute(_ADD_PRODUCTS, [list(column) for column in zip(*products, strict=True)])


def rebuild(*, worker: Worker) -> int:
    """Make the read models what the topics say, as far as `worker` has handled them; return the events read.

    The worker may go on meanwhile: events and rows are read in one snapshot, and what is written at the end is the
    difference. Raises `workers.DependencyDown` when Kafka cannot be reached.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        known = _known()
        difference = Figures().add(read_handled(worker=worker, structs=HEARD))
    difference.hours.subtract(known.hours)
    difference.products.subtract(known.products)
    with transaction.atomic():
        add_figures(figures=difference)
        _forget_zeros()
    return difference.events


def _known() -> Figures:
    figures = Figures()
    for row in HourlyFigure.objects.all():
        figures.hours[HourKey(row.hour, row.figure, row.currency)] = row.value
    for product in ProductFigures.objects.all():
        for figure in ("ordered", "sold", "revenue"):
            key = ProductKey(product.sku, product.currency, figure)
            figures.products[key] = getattr(product, figure)
    return figures


def _product_rows(*, figures: Figures) -> list[tuple[str, str, str, int, int, int]]:
    by_product: dict[tuple[str, str], Counter[str]] = {}
    for key, value in figures.products.items():
        by_product.setdefault((key.sku, key.currency), Counter())[key.figure] += value
    return [
        (sku, currency, figures.titles.get(sku, ""), counts["ordered"], counts["sold"], counts["revenue"])
        for (sku, currency), counts in by_product.items()
    ]


def _forget_zeros() -> None:
    HourlyFigure.objects.filter(value=0).delete()
    ProductFigures.objects.filter(ordered=0, sold=0, revenue=0).delete()
