"""Three brokers: one is lost for good, or all of them stand still for a minute. The shop goes on taking orders."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.running_shop import RunningShop, running_shop

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

BROKERS = ("kafka-1", "kafka-2", "kafka-3")
ORDERS = 60
AWAY_SECONDS = 60
# A producer waits 30 s for a broker that is gone, and a worker that lost its coordinator joins anew after as long.
PATIENCE_SECONDS = 240


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    """The whole shop with three brokers, each event on two of them before it counts."""
    with running_shop(folder=tmp_path_factory.mktemp("cluster") / "state", BROKERS="3") as running:
        yield running


@pytest.mark.parametrize("lost", BROKERS)
def test_with_one_of_three_brokers_lost_orders_are_completed(cluster: RunningShop, lost: str) -> None:
    since = cluster.now()
    with ThreadPoolExecutor(4) as pool, _standing_still(cluster, lost):
        tokens = list(pool.map(lambda _: cluster.placed(), range(ORDERS)))
        for token in tokens:
            cluster.wait_for(token, "completed", seconds=PATIENCE_SECONDS)

    findings = cluster.require_invariants(since=since, accepted=tokens, seconds=PATIENCE_SECONDS)

    assert findings.tally.completed == ORDERS


def test_with_all_brokers_away_for_a_minute_orders_are_taken_and_completed_afterwards(
    cluster: RunningShop,
) -> None:
    since, tokens = cluster.now(), list[str]()
    with _standing_still(cluster, *BROKERS):
        back_at = time.monotonic() + AWAY_SECONDS
        while time.monotonic() < back_at:
            tokens.append(cluster.placed())
        assert {cluster.order(token)["status"] for token in tokens[-10:]} == {"placed"}

    findings = cluster.require_invariants(since=since, accepted=tokens, seconds=PATIENCE_SECONDS)

    assert findings.tally.completed == len(tokens)


@contextmanager
def _standing_still(cluster: RunningShop, *names: str) -> Iterator[None]:
    brokers = [cluster.process(name) for name in names]
    for broker in brokers:
        broker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for broker in brokers:
            broker.send_signal(signal.SIGCONT)
