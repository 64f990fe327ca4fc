"""`kill -9` of any one process amid orders: afterwards every order has ended, and nothing was done twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.running_shop import RunningShop
from tests.waiting import eventually

ORDERS = 100
WORKERS = ["relay", "inventory", "orders", "payments", "shipments", "notifications", "analytics"]


def _place(shop: RunningShop, key: str, email: str, sku: str) -> str:
    """Place an order as a stubborn client does: again with the same key until it is accepted."""

    def accepted() -> str:
        try:
            answer = shop.place(key=key, email=email, lines=[{"sku": sku, "quantity": 1}])
        except httpx.HTTPError:
            return ""
        return str(answer.json()["token"]) if answer.status_code == 202 else ""

    return eventually(accepted, seconds=60, what="an order is accepted")


def _check_one_effect_each(shop: RunningShop, *, tokens: list[str], email: str) -> None:
    orders = [shop.wait_for(token, "completed", seconds=120) for token in tokens]
    for order in orders:
        assert [charge["status"] for charge in shop.charges(order["number"])] == ["captured"]
        sequences = [entry["sequence"] for entry in order["timeline"]]
        assert sequences == list(range(1, len(sequences) + 1))
    assert len({order["shipment"]["tracking_number"] for order in orders}) == len(orders)
    eventually(
        lambda: len(shop.mails(email)) == 4 * len(orders), seconds=60, what="four mails for each order"
    )
    subjects = Counter(line for mail in shop.mails(email) for line in mail.splitlines() if "Subject:" in line)
    assert set(subjects.values()) == {1}


@pytest.mark.parametrize("victim", [*WORKERS, "web", "bank", "kafka-1", "postgres"])
def test_after_a_kill_in_the_middle_every_order_ends_and_nothing_happens_twice(
    shop: RunningShop, victim: str
) -> None:
    email, sku = f"{uuid4()}@example.org", shop.some_sku()
    keys = [str(uuid4()) for _ in range(ORDERS)]
    with ThreadPoolExecutor(4) as pool:
        placing = [pool.submit(_place, shop, key, email, sku) for key in keys]
        placing[ORDERS // 3].result()
        pid = shop.process(victim).pid
        shop.kill(victim)
        tokens = [one.result() for one in placing]
    eventually(lambda: shop.is_back(victim, instead_of=pid), seconds=60, what=f"{victim} is back")

    assert len(set(tokens)) == ORDERS
    _check_one_effect_each(shop, tokens=tokens, email=email)
