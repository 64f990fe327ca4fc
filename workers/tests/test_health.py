"""What processes tell of themselves, asked over HTTP as an orchestrator and Prometheus ask."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import transaction
from prometheus_client.parser import text_string_to_metric_families
from uuid_utils.compat import uuid7

from events import publish
from events.models import OutboxEvent
from events.orders import OrderRejected
from stack import ports
from tests.waiting import eventually
from workers.metrics import READINGS
from workers.tests.conftest import step
from workers.topics import create_topics

pytestmark = pytest.mark.django_db(transaction=True)

StartManage = Callable[..., Any]


@pytest.fixture(autouse=True)
def topics(kafka_servers: object) -> None:
    create_topics(partitions=3)


class Door:
    """The health port of one process."""

    def __init__(self, *, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> httpx.Response | None:
        """Return the answer, or None while nobody listens."""
        try:
            return httpx.get(self.url + path, timeout=20)
        except httpx.ConnectError:
            return None

    def is_ready(self) -> bool:
        answer = self.get("/readyz")
        return answer is not None and answer.status_code == 200

    def values(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        """Return the samples of a name, by their labels."""
        answer = self.get("/metrics")
        assert answer is not None
        return {
            frozenset(sample.labels.items()): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == name
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.values(name).get(frozenset(labels.items()))


def _started(start_manage: StartManage, name: str, **variables: str) -> Door:
    port = ports.find_free()
    start_manage("run_worker", name, f"--health-port={port}", **variables)
    return Door(port=port)


def _publish_steps(count: int) -> None:
    for _ in range(count):
        order_id = uuid7()
        with transaction.atomic():
            publish(step(order_id=order_id), aggregate_type="order", aggregate_id=order_id, version=1)


def _publish_rejections(count: int) -> None:
    for _ in range(count):
        order_id = uuid7()
        rejected = OrderRejected(order_id=order_id, number="WB-TEST-0001", reason="out_of_stock")
        with transaction.atomic():
            publish(rejected, aggregate_type="order", aggregate_id=order_id, version=1)


def test_the_relay_tells_every_reading(start_manage: StartManage) -> None:
    relay = _started(start_manage, "relay")
    eventually(relay.is_ready)

    # The first question after a cluster has started has Kafka make the topic in which it keeps the groups.
    eventually(lambda: relay.value("readings_source_up", source="kafka"))
    told = {one.name: relay.values(one.name) for one in READINGS}

    for one in READINGS:
        assert told[one.name], one.name
        assert {name for labels in told[one.name] for name, _ in labels} == set(one.labels), one.name


def test_the_relay_tells_what_waits_in_the_outbox(start_manage: StartManage) -> None:
    _publish_steps(3)
    OutboxEvent.objects.update(blocked_at="2026-01-01T00:00Z", blocked_reason="for the test")

    relay = _started(start_manage, "relay")
    eventually(relay.is_ready)

    assert relay.value("outbox_pending") == 3
    assert relay.value("outbox_blocked") == 3
    assert relay.value("outbox_oldest_age_seconds") == 0


def test_the_relay_tells_how_far_a_worker_is_behind(start_manage: StartManage) -> None:
    relay = _started(start_manage, "relay")
    _publish_steps(5)
    eventually(lambda: not OutboxEvent.objects.exists())
    eventually(lambda: relay.value("outbox_pending") == 0, what="a reading after the outbox drained")

    lags = relay.values("consumer_lag_records")
    behind = sum(
        value for labels, value in lags.items() if {("worker", "analytics"), ("topic", "orders")} < labels
    )

    assert behind >= 5
    assert relay.value("consumer_group_members", worker="analytics") == 0
    assert any(value > 0 for value in relay.values("consumer_lag_seconds").values())


def test_a_worker_counts_what_it_handles(start_manage: StartManage) -> None:
    _publish_rejections(5)
    relay, worker = _started(start_manage, "relay"), _started(start_manage, "analytics")
    eventually(worker.is_ready)

    def handled() -> bool:
        return (
            worker.value("consumer_records_total", worker="analytics", topic="orders", outcome="ok") or 0
        ) >= 5

    eventually(handled, seconds=60)

    for name in (
        "consumer_handler_seconds_count",
        "consumer_end_to_end_seconds_count",
        "consumer_rebalances_total",
    ):
        assert worker.values(name), name
    assert (relay.value("outbox_publish_seconds_count") or 0) >= 1
    assert (relay.value("outbox_published_total") or 0) >= 5


def test_readiness_names_what_is_missing_and_the_rest_goes_on(start_manage: StartManage) -> None:
    relay = _started(start_manage, "relay", KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{ports.find_free()}")

    def says_kafka() -> bool:
        answer = relay.get("/readyz")
        return (
            answer is not None and answer.status_code == 503 and "Kafka" in str(answer.json()["waiting_for"])
        )

    eventually(says_kafka)

    alive = relay.get("/livez")
    assert alive is not None
    assert alive.status_code == 200
    assert relay.value("readings_source_up", source="kafka") == 0
    assert relay.value("readings_source_up", source="database") == 1
    assert relay.value("outbox_pending") == 0
    assert relay.values("consumer_lag_records") == {}
