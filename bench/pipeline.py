"""N orders over HTTP, through Kafka and every worker, until all are completed."""

import time
from collections.abc import Mapping, Sequence

from django.utils import timezone

from bench.clients import closed_loop
from bench.figures import Figures, own_cpu_seconds
from bench.orders import count, requests, sell, wait_for_the_end
from bench.processes import cpu_seconds, difference
from bench.shop import Door, Shop, running_shop

_CONNECTIONS = 16
_WARM_UP = 500


class Refused(RuntimeError):
    """The shop did not take every order, so there is nothing to measure."""


def run(*, orders: int = 5_000, brokers: int = 1, copies: int = 1) -> Figures:
    """Place `orders` orders of two lines as fast as 16 connections can, and wait until the last is completed.

    `copies` is how many processes of every worker share the work.
    """
    with running_shop(brokers=brokers) as shop:
        skus = sell(skus=100, pieces=orders + _WARM_UP)
        door = open_everything(shop=shop, copies=copies)
        through(shop=shop, door=door, skus=skus, orders=_WARM_UP)
        return {
            "orders": orders,
            "brokers": brokers,
            "copies": copies,
            **through(shop=shop, door=door, skus=skus, orders=orders),
        }


def open_everything(*, shop: Shop, copies: int = 1) -> Door:
    """Start the production doors and `copies` processes of the relay and of every worker."""
    for number in range(copies):
        shop.start_workers(label=f"workers{number or ''}")
    shop.open_sockets()
    return shop.open_pages()


def through(*, shop: Shop, door: Door, skus: Sequence[str], orders: int, lines: int = 2) -> Figures:
    """Send so many orders through everything that runs, and return what it took. Raises `Refused`."""
    wanted = requests(orders=orders, skus=skus, lines=lines)
    before, own_before = cpu_seconds(state=shop.state), own_cpu_seconds()
    since, started = timezone.now(), time.monotonic()
    answers, accepted = closed_loop(port=door.port, requests=wanted, connections=_CONNECTIONS)
    if refused := {answer.status for answer in answers} - {202}:
        raise Refused(f"The shop answered {sorted(refused)} to some of the orders.")
    wait_for_the_end(orders=orders, since=since)
    seconds = time.monotonic() - started
    used = difference(before=before, after=cpu_seconds(state=shop.state))
    stands = count(since=since)
    return {
        "accepted_per_second": round(len(answers) / accepted, 1),
        "completed_per_second": round(stands.get("completed", 0) / seconds, 1),
        "cpu_seconds_per_1000_orders": _per_thousand(sum(used.values()), orders=orders),
        "by_process": _by_process(used=used, orders=orders),
        "load_generator_cpu_per_1000": _per_thousand(own_cpu_seconds() - own_before, orders=orders),
        "ended": stands,
    }


def _by_process(*, used: Mapping[str, float], orders: int) -> Figures:
    return {name: _per_thousand(seconds, orders=orders) for name, seconds in used.items() if seconds > 0}


def _per_thousand(seconds: float, *, orders: int) -> float:
    return round(seconds / orders * 1000, 2)
