"""The same purchase three ways: everything inline in the request, over one broker, over three.

And what is lost when a part stops: the bank goes away for a while, and the process that works is killed, both in
the middle of the sale.
"""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Thread

import psutil
from django.utils import timezone

from bench.apart import run_apart
from bench.clients import Answer, closed_loop
from bench.figures import Figures, milliseconds
from bench.orders import count, requests, sell
from bench.pipeline import open_everything
from bench.processes import cpu_seconds, difference
from bench.shop import Door, Shop, running_shop

_CONNECTIONS = 16
_WARM_UP = 200
_BANK_AWAY_SECONDS = 3.0
_SETTLED_SECONDS = 60.0
_ENDED = ("completed", "rejected", "cancelled")

# How many brokers each way needs; inline asks nothing of its one.
WAYS = {"inline": 1, "one-broker": 1, "three-brokers": 3}

Disturb = Callable[[Shop], None]


def run(*, orders: int = 1_000, way: str = "") -> Figures:
    """Sell `orders` orders each way, and half as many for each fault; or only one `way` of `WAYS`."""
    if way:
        return _one_way(way=way, orders=orders)
    return {"orders": orders, **{each: run_apart(name="flow", orders=orders, way=each) for each in WAYS}}


def _one_way(*, way: str, orders: int) -> Figures:
    inline = way == "inline"
    with running_shop(brokers=WAYS[way]) as shop:
        skus = sell(skus=100, pieces=orders * 4)
        door = _open(shop=shop, inline=inline)
        _sell(shop=shop, door=door, skus=skus, orders=_WARM_UP)
        figures = {"in_peace": _sell(shop=shop, door=door, skus=skus, orders=orders)}
        figures["bank_away_for_3_s"] = _sell(
            shop=shop, door=door, skus=skus, orders=orders // 2, disturb=_stop_the_bank
        )
        killed = _kill_the_children_of("web" if inline else "workers")
        figures["killed"] = _sell(shop=shop, door=door, skus=skus, orders=orders // 2, disturb=killed)
    return figures


def _open(*, shop: Shop, inline: bool) -> Door:
    if inline:
        return shop.open_pages(application="bench.inline_wsgi:application")
    return open_everything(shop=shop)


def _sell(*, shop: Shop, door: Door, skus: list[str], orders: int, disturb: Disturb | None = None) -> Figures:
    since, started, before = timezone.now(), time.monotonic(), cpu_seconds(state=shop.state)
    trouble = Thread(target=disturb, args=(shop,)) if disturb else None
    if trouble:
        trouble.start()
    answers = _send(door=door, wanted=requests(orders=orders, skus=skus))
    if trouble:
        trouble.join()
    _settle(since=since)
    seconds = time.monotonic() - started
    used = difference(before=before, after=cpu_seconds(state=shop.state))
    return {
        **_figures(answers=answers, orders=orders, since=since, seconds=seconds),
        **_cpu(used, orders=orders),
    }


def _figures(*, answers: list[Answer], orders: int, since: datetime, seconds: float) -> Figures:
    stands = count(since=since)
    accepted = sum(answer.status == 202 for answer in answers)
    return {
        "buyer_waits": milliseconds([answer.seconds for answer in answers if answer.status == 202] or [0.0]),
        "completed_per_second": round(stands.get("completed", 0) / seconds, 1),
        "errors_told_to_buyers": orders - accepted,
        "stuck_for_good": sum(stands.values()) - sum(stands.get(status, 0) for status in _ENDED),
        "ended": stands,
    }


def _cpu(used: dict[str, float], *, orders: int) -> Figures:
    return {
        "cpu_seconds_per_1000_orders": round(sum(max(0.0, one) for one in used.values()) / orders * 1000, 2)
    }


def _send(*, door: Door, wanted: list[bytes]) -> list[Answer]:
    answers, _ = closed_loop(port=door.port, requests=wanted, connections=_CONNECTIONS, patient=True)
    return answers


def _settle(*, since: datetime) -> None:
    deadline = time.monotonic() + _SETTLED_SECONDS
    while _open_orders(since=since) and time.monotonic() < deadline:
        time.sleep(0.25)


def _open_orders(*, since: datetime) -> int:
    return sum(number for status, number in count(since=since).items() if status not in _ENDED)


def _stop_the_bank(shop: Shop) -> None:
    time.sleep(0.3)
    shop.bank.kill()
    time.sleep(_BANK_AWAY_SECONDS)
    shop.bank.start()
    shop.bank.wait_until_ready(seconds=30)


def _kill_the_children_of(name: str) -> Disturb:
    """Return what kills, without warning, every process that does the work; its parent starts it anew."""

    def kill(shop: Shop) -> None:
        time.sleep(0.5)
        parent = psutil.Process(int(shop.state.read_processes()[name]["pid"]))
        for child in parent.children(recursive=True):
            child.kill()

    return kill
