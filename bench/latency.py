"""A steady stream of orders: how long from placed to confirmed, and from an event to the hint on a page."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

import websockets
from django.db import connection
from django.utils import timezone
from websockets.typing import Origin

from bench.clients import Connection
from bench.figures import Figures, milliseconds
from bench.orders import requests, sell, wait_for_the_end
from bench.pipeline import open_everything
from bench.shop import Door, running_shop

# The broker's compiler is at work for the first half minute of a load, on one of two cores.
_WARM_UP_SECONDS = 60

# An order's entry is dated when its transaction is about to be committed: both times below hold a commit too many
# rather than too few.
_CONFIRMED = """
    SELECT extract(epoch FROM confirmed.at - placed.at) FROM orders_order
    JOIN orders_timelineentry AS placed ON placed.order_id = orders_order.id AND placed.sequence = 1
    JOIN orders_timelineentry AS confirmed ON confirmed.order_id = orders_order.id AND confirmed.type = 'confirmed'
    WHERE placed_at >= %s
"""
_ENTRIES = """
    SELECT token, entry.sequence, entry.at FROM orders_order
    JOIN orders_timelineentry AS entry ON entry.order_id = orders_order.id WHERE placed_at >= %s
"""


def run(*, seconds: int = 20) -> Figures:
    """Place 20 and then 50 orders a second for so many seconds each, with a socket open for every order.

    A minute of 20 a second goes before, and is not measured.
    """
    with running_shop() as shop:
        skus = sell(skus=100, pieces=100_000)
        door, sockets = open_everything(shop=shop), shop.sockets_port
        _stream(door=door, sockets=sockets, skus=skus, per_second=20, seconds=_WARM_UP_SECONDS)
        return {
            "seconds": seconds,
            "warm_up_seconds": _WARM_UP_SECONDS,
            "floor_ms": 24,
            "floor": "four hops of commit, wake-up, acknowledge, fetch and commit, as the design counts them",
            **{
                f"at_{rate}_per_second": _stream(
                    door=door, sockets=sockets, skus=skus, per_second=rate, seconds=seconds
                )
                for rate in (20, 50)
            },
        }


def _stream(*, door: Door, sockets: int, skus: Sequence[str], per_second: int, seconds: int) -> Figures:
    since = timezone.now()
    wanted = requests(orders=per_second * seconds, skus=skus)
    page = Pages(port=sockets)
    accepted = _send(port=door.port, wanted=wanted, per_second=per_second, page=page)
    wait_for_the_end(orders=len(wanted), since=since)
    heard = page.close()
    return {
        "accepted": milliseconds(accepted),
        "placed_to_confirmed": milliseconds(_confirmed(since=since)),
        "event_to_hint": milliseconds(_hints(since=since, heard=heard)),
        "hints": len(heard),
    }


class Pages:
    """Open order pages: one socket for each order, and when which hint came."""

    def __init__(self, *, port: int) -> None:
        self._port = port
        self._heard: dict[tuple[str, int], float] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def open(self, *, token: str) -> None:
        """Open the page of an order and listen from now on."""
        asyncio.run_coroutine_threadsafe(self._listen(token), self._loop)

    def close(self) -> dict[tuple[str, int], float]:
        """Close all pages and return the time of each hint, by token and number of the entry."""
        asyncio.run_coroutine_threadsafe(_end_all_tasks(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        return self._heard

    async def _listen(self, token: str) -> None:
        address = f"ws://127.0.0.1:{self._port}/ws/orders/{token}/"
        async with websockets.connect(address, origin=Origin(f"http://127.0.0.1:{self._port}")) as page:
            await page.recv()  # where the order stands at the opening is no news
            async for message in page:
                self._heard[token, json.loads(message)["sequence"]] = time.time()


async def _end_all_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _send(*, port: int, wanted: Sequence[bytes], per_second: int, page: Pages) -> list[float]:
    times: list[float] = []
    first = time.monotonic()
    turns = iter(enumerate(wanted))

    def work() -> None:
        connection_ = Connection(port=port)
        for number, request in _shared(turns):
            due_at = first + number / per_second
            time.sleep(max(0.0, due_at - time.monotonic()))
            _, body = connection_.ask(request)
            times.append(time.monotonic() - due_at)
            page.open(token=json.loads(body)["token"])
        connection_.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


_turn = threading.Lock()


def _shared(turns: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield what is left of an iterator that several threads share."""
    while True:
        with _turn:
            taken = next(turns, None)
        if taken is None:
            return
        yield taken


def _confirmed(*, since: datetime) -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute(_CONFIRMED, [since])
        return [float(seconds) for (seconds,) in cursor.fetchall()]


def _hints(*, since: datetime, heard: dict[tuple[str, int], float]) -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [since])
        written = {(token, sequence): at for token, sequence, at in cursor.fetchall()}
    return [at - written[hint].timestamp() for hint, at in heard.items() if hint in written]
