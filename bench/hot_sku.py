"""Every order wants the same product, beside orders spread over a thousand."""

from django.db import connection

from bench.figures import Figures
from bench.orders import sell
from bench.pipeline import open_everything, through
from bench.shop import running_shop

_SKUS = 1_000
_WARM_UP = 500


def run(*, orders: int = 3_000) -> Figures:
    """Send the same number of one-line orders through the shop both ways, and count the pieces afterwards."""
    with running_shop() as shop:
        spread = sell(skus=_SKUS, pieces=orders + _WARM_UP)
        hot = spread[:1]
        door = open_everything(shop=shop)
        through(shop=shop, door=door, skus=spread, orders=_WARM_UP)
        wide = through(shop=shop, door=door, skus=spread, orders=orders, lines=1)
        narrow = through(shop=shop, door=door, skus=hot, orders=orders, lines=1)
        oversold = _oversold()
    ratio = narrow["completed_per_second"] / wide["completed_per_second"]
    return {
        "orders": orders,
        "floor_spread_per_second": wide["completed_per_second"],
        "hot_per_second": narrow["completed_per_second"],
        "ratio": round(ratio, 3),
        "oversold_products": oversold,
        "hot": narrow,
        "spread": wide,
    }


def _oversold() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM inventory_stockitem WHERE available < 0")
        [found] = cursor.fetchone()
        return int(found)
