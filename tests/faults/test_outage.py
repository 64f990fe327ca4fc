"""With Kafka stopped the shop still browses and takes orders; they drain when it is back."""

import signal

import httpx

from tests.running_shop import RunningShop


def test_the_shop_goes_on_without_kafka_and_the_orders_drain_afterwards(shop: RunningShop) -> None:
    broker, since = shop.process("kafka-1"), shop.now()
    broker.send_signal(signal.SIGSTOP)
    try:
        assert httpx.get(f"{shop.url}/").status_code == 200
        assert httpx.get(f"{shop.url}/products/{shop.slug_of('FOX-PRIDE')}/").status_code == 200
        tokens = [shop.placed() for _ in range(20)]
        page = httpx.get(f"{shop.url}/orders/{tokens[0]}/")
        assert (page.status_code, shop.order(tokens[0])["status"]) == (200, "placed")
    finally:
        broker.send_signal(signal.SIGCONT)

    findings = shop.require_invariants(since=since, accepted=tokens)

    assert findings.tally.completed == len(tokens)
