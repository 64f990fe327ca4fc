"""`kill -9` of any one process amid orders: afterwards every order has ended, and nothing was done twice."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.buyers import place_stubbornly
from tests.faults.seeds import seeds
from tests.running_shop import RunningShop
from tests.waiting import eventually

ORDERS = 40
WORKERS = ["relay", "inventory", "orders", "payments", "shipments", "notifications", "analytics"]


@seeds
@pytest.mark.parametrize("victim", [*WORKERS, "web", "bank", "kafka-1", "postgres"])
def test_after_a_kill_in_the_middle_every_order_ends_and_nothing_happens_twice(
    shop: RunningShop, victim: str, seed: int
) -> None:
    moment = random.Random(f"{victim} {seed}").randrange(ORDERS)  # noqa: S311  (it is to be repeatable)
    since = shop.now()
    with ThreadPoolExecutor(4) as pool:
        placing = [pool.submit(place_stubbornly, shop) for _ in range(ORDERS)]
        placing[moment].result()
        pid = shop.process(victim).pid
        shop.kill(victim)
        tokens = [one.result() for one in placing]
    eventually(lambda: shop.is_back(victim, instead_of=pid), seconds=60, what=f"{victim} is back")

    findings = shop.require_invariants(since=since, accepted=tokens)

    assert findings.tally.completed == ORDERS
