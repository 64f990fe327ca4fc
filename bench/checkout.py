"""`POST orders/` over HTTP beside a bare view that writes the same in one statement. No worker runs meanwhile."""

from bench import floor
from bench.clients import Answer, closed_loop
from bench.figures import Figures, milliseconds, own_cpu_seconds
from bench.orders import requests, sell
from bench.processes import cpu_seconds, difference
from bench.shop import Door, Shop, running_shop

_CONNECTIONS = 16
_WARM_UP = 400


def run(*, orders: int = 6_000) -> Figures:
    """Place `orders` orders of two lines over 16 connections, and as many at the floor, in two rounds each."""
    with running_shop() as shop:
        skus = sell(skus=100, pieces=orders)
        floor.make_tables()
        rounds = [_round(shop=shop, skus=skus, orders=orders // 2) for _ in range(2)]
    shop_rate = sum(one["shop"]["per_second"] for one in rounds) / 2
    floor_rate = sum(one["floor"]["per_second"] for one in rounds) / 2
    return {
        "orders": orders,
        "connections": _CONNECTIONS,
        "shop_per_second": round(shop_rate, 1),
        "floor_per_second": round(floor_rate, 1),
        "ratio": round(shop_rate / floor_rate, 3),
        "rounds": {f"round {number}": one for number, one in enumerate(rounds, start=1)},
    }


def _round(*, shop: Shop, skus: list[str], orders: int) -> dict[str, Figures]:
    wanted = requests(orders=orders + _WARM_UP, skus=skus)
    return {
        "floor": _load(shop=shop, application=floor.APPLICATION, wanted=wanted),
        "shop": _load(shop=shop, application="config.wsgi:application", wanted=wanted),
    }


def _load(*, shop: Shop, application: str, wanted: list[bytes]) -> Figures:
    door = shop.open_pages(application=application, name=application.split(":")[0])
    closed_loop(port=door.port, requests=wanted[:_WARM_UP], connections=_CONNECTIONS)
    figures = _measure(shop=shop, door=door, wanted=wanted[_WARM_UP:])
    shop.end(door)
    return figures


def _measure(*, shop: Shop, door: Door, wanted: list[bytes]) -> Figures:
    before, used_before = own_cpu_seconds(), cpu_seconds(state=shop.state)
    answers, seconds = closed_loop(port=door.port, requests=wanted, connections=_CONNECTIONS)
    used = difference(before=used_before, after=cpu_seconds(state=shop.state))
    _require_accepted(answers)
    return {
        "per_second": round(len(answers) / seconds, 1),
        **milliseconds([answer.seconds for answer in answers]),
        "cpu_ms_each": {name: round(used[name] / len(answers) * 1000, 2) for name in (door.name, "postgres")},
        "load_generator_cpu_seconds": round(own_cpu_seconds() - before, 2),
    }


def _require_accepted(answers: list[Answer]) -> None:
    refused = [answer for answer in answers if answer.status != 202]
    if refused:
        raise RuntimeError(f"{len(refused)} orders were not accepted, such as: {refused[0]}")
