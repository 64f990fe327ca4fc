"""The catalogue's pages as it grows: the server's time and the queries of each page."""

import time
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.figures import Figures, milliseconds
from bench.shop import running_shop

_SIZES = (100, 1_000, 10_000)
_VIEWS = 40


def run() -> Figures:
    """Ask for each kind of page 40 times, at catalogues of a hundred, a thousand and ten thousand products."""
    with running_shop():
        sizes = {f"products_{size}": _measure(size=size) for size in _SIZES}
    largest = sizes[f"products_{_SIZES[-1]}"]
    return {
        "p50_ms": max(page["p50_ms"] for page in largest.values()),
        "queries_constant": all(
            len({figures[page]["queries"] for figures in sizes.values()}) == 1 for page in largest
        ),
        **sizes,
    }


def _measure(*, size: int) -> dict[str, Figures]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_product")
        [known] = cursor.fetchone()
    if known < size:
        call_command("load_products", generate=size - known, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT slug FROM shop_product WHERE is_active ORDER BY id LIMIT 1")
        [slug] = cursor.fetchone()
    pages = {
        "home": "/",
        "search": "/?search=love",
        "third page": "/?page=3",
        "product": f"/products/{slug}/",
    }
    return {name: _look(path=path) for name, path in pages.items()}


def _look(*, path: str) -> Figures:
    client = Client(HTTP_HOST="127.0.0.1")
    _get(client, path)
    with CaptureQueriesContext(connection) as asked:
        _get(client, path)
    queries, cpu_before = len(asked), time.process_time()
    seconds = [_seconds(client, path) for _ in range(_VIEWS)]
    cpu = (time.process_time() - cpu_before) / _VIEWS
    return {"queries": queries, "python_cpu_ms": round(cpu * 1000, 1), **milliseconds(seconds)}


def _seconds(client: Client, path: str) -> float:
    started = time.perf_counter()
    _get(client, path)
    return time.perf_counter() - started


def _get(client: Client, path: str) -> Any:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}.")
    return answer
