"""`kill -9` of processes amid orders: afterwards every order has ended, and nothing was done twice."""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import psutil
import psycopg
import pytest

from tests.faults.buyers import place_stubbornly
from tests.running_shop import RunningShop
from tests.waiting import eventually

ORDERS = 40
SEEDS = 25
WORKERS = ["relay", "inventory", "orders", "payments", "shipments", "notifications", "analytics", "wishlists"]
VICTIMS = [*WORKERS, "web", "bank", "kafka-1", "postgres"]
BACK_SECONDS = 60
# One of each kind in every run of the tests; the others in `make faults`.
ONE_OF_A_KIND = {"relay", "payments", "web", "kafka-1", "postgres"}


@pytest.mark.parametrize(
    "victim",
    [pytest.param(name, marks=[] if name in ONE_OF_A_KIND else pytest.mark.faults) for name in VICTIMS],
)
def test_after_a_kill_in_the_middle_every_order_ends_and_nothing_happens_twice(
    shop: RunningShop, victim: str
) -> None:
    _kill_amid_orders(shop, victims=[victim], chance=random.Random(victim))  # noqa: S311  (it is to be repeatable)


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_however_many_processes_are_killed_in_whatever_order_every_order_ends_and_nothing_happens_twice(
    shop: RunningShop, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  (it is to be repeatable)
    _kill_amid_orders(shop, victims=chance.sample(VICTIMS, len(VICTIMS)), chance=chance)


def _kill_amid_orders(shop: RunningShop, *, victims: list[str], chance: random.Random) -> None:
    """Kill each of the victims once, at moments that `chance` picks, the next as soon as there is one to kill."""
    since = shop.now()
    moments = sorted(chance.sample(range(ORDERS), len(victims)))
    with ThreadPoolExecutor(4) as pool:
        placing = [pool.submit(place_stubbornly, shop) for _ in range(ORDERS)]
        killed = {
            victim: _kill_after(shop, victim, order=placing[moment])
            for victim, moment in zip(victims, moments, strict=True)
        }
        tokens = [one.result() for one in placing]
    for victim, pid in killed.items():
        eventually(_is_back(shop, victim, instead_of=pid), seconds=BACK_SECONDS, what=f"{victim} is back")
    eventually(lambda: _database_answers(shop), seconds=BACK_SECONDS, what="the database answers")
    eventually(lambda: _shop_answers(shop), seconds=BACK_SECONDS, what="the shop answers")

    findings = shop.require_invariants(since=since, accepted=tokens)

    assert findings.tally.completed == ORDERS


def _kill_after(shop: RunningShop, victim: str, *, order: "Future[str]") -> int:
    """Kill the victim once the order is accepted, and return the process id it had."""
    order.result()

    def killed() -> int:
        try:
            pid = shop.process(victim).pid
            shop.kill(victim)
        except psutil.NoSuchProcess:  # its supervisor has not started it again yet
            return 0
        return pid

    return eventually(killed, seconds=BACK_SECONDS, what=f"{victim} runs")


def _is_back(shop: RunningShop, victim: str, *, instead_of: int) -> Callable[[], bool]:
    return lambda: shop.is_back(victim, instead_of=instead_of)


def _shop_answers(shop: RunningShop) -> bool:
    # Its process is back before its door is open: whoever comes next would find it closed.
    try:
        return shop.get("/products/").is_success
    except httpx.TransportError:
        return False


def _database_answers(shop: RunningShop) -> bool:
    try:
        return bool(shop.now())
    except psycopg.OperationalError:
        return False
