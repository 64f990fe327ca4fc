"""What leaves the outbox reaches Kafka, in order for each key, and only then leaves the table."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection, transaction
from uuid_utils.compat import uuid7

from events import publish
from events.models import OutboxEvent
from events.orders import OrderAdvanced
from events.outbox import RawRecord, publish_raw
from tests.waiting import eventually
from workers.kafka_clients import bare_consumer
from workers.relay import _READ, Shards
from workers.replay import read_topics
from workers.tests.conftest import step
from workers.topics import create_topics

pytestmark = pytest.mark.django_db(transaction=True)

StartManage = Callable[..., Any]


@pytest.fixture(autouse=True)
def topics(kafka_servers: object) -> None:
    create_topics(partitions=3)


def _publish(order_id: UUID, *, version: int) -> None:
    publish(
        step(order_id=order_id, name=str(version)),
        aggregate_type="order",
        aggregate_id=order_id,
        version=version,
    )


def _steps_in_kafka(order_id: UUID) -> list[str]:
    return [
        event.data.step
        for event in read_topics(topics=["orders"])
        if isinstance(event.data, OrderAdvanced) and event.data.order_id == order_id
    ]


def _outbox_is_empty() -> bool:
    return not OutboxEvent.objects.exists()


def test_committed_events_arrive_in_order_and_leave_the_outbox(start_manage: StartManage) -> None:
    order_id = uuid7()
    start_manage("run_worker", "relay")
    for version in range(1, 51):
        with transaction.atomic():
            _publish(order_id, version=version)

    eventually(_outbox_is_empty)

    assert _steps_in_kafka(order_id) == [str(version) for version in range(1, 51)]


def test_an_event_of_a_transaction_that_was_rolled_back_never_leaves(start_manage: StartManage) -> None:
    lost, kept = uuid7(), uuid7()
    start_manage("run_worker", "relay")
    with transaction.atomic():
        _publish(lost, version=1)
        transaction.set_rollback(True)
    with transaction.atomic():
        _publish(kept, version=1)

    eventually(_outbox_is_empty)

    assert _steps_in_kafka(kept) == ["1"]
    assert _steps_in_kafka(lost) == []


def test_a_row_that_commits_late_is_not_skipped(start_manage: StartManage) -> None:
    late, early = uuid7(), uuid7()
    start_manage("run_worker", "relay")
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('events_outboxevent', 'id'))")
        [late_id] = cursor.fetchone()
    with transaction.atomic():
        _publish(early, version=1)
    eventually(_outbox_is_empty)
    other.rollback()
    other.close()

    with transaction.atomic():
        _publish(late, version=1)
        OutboxEvent.objects.update(id=late_id)

    eventually(_outbox_is_empty)
    assert _steps_in_kafka(late) == ["1"]


def test_a_row_that_kafka_never_takes_is_blocked_and_holds_only_its_key(start_manage: StartManage) -> None:
    big, other = uuid7(), uuid7()
    with transaction.atomic():
        publish_raw([_raw(key=str(big), value=b"x" * 1_100_000)])
        publish_raw([_raw(key=str(big), value=b"behind")])
        _publish(other, version=1)
    start_manage("run_worker", "relay")

    eventually(lambda: OutboxEvent.objects.count() == 2)

    first, second = OutboxEvent.objects.order_by("id")
    assert "larger than" in first.blocked_reason
    assert second.blocked_at is None
    assert _steps_in_kafka(other) == ["1"]


def test_the_record_is_a_cloudevent_that_any_client_can_read(start_manage: StartManage) -> None:
    order_id = uuid7()
    start_manage("run_worker", "relay")
    with transaction.atomic():
        event_id = _publish_one(order_id)
    eventually(_outbox_is_empty)

    record = _find_record(key=str(order_id).encode())
    headers = {name: value.decode() for name, value in record.headers}
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == str(event_id)
    assert headers["ce_type"] == "orders.order_advanced.v1"
    assert headers["ce_subject"] == str(order_id)
    assert headers["sequence"] == "7"
    assert headers["content-type"] == "application/json"
    assert set(headers) >= {"ce_source", "ce_time", "ce_dataschema", "traceparent", "correlationid"}
    assert msgspec.json.decode(record.value)["order_id"] == str(order_id)


@pytest.mark.parametrize("orders", [0, 1, 3_000], ids=["nothing", "one order", "many orders"])
def test_a_read_looks_at_no_more_of_a_long_backlog_than_it_takes_by_statistics_of(orders: int) -> None:
    publish_backlog(orders=orders, rows=3_000 if orders else 0)
    _run("VACUUM ANALYZE events_outboxevent")
    _run("DELETE FROM events_outboxevent")
    publish_backlog(orders=3_000, rows=3_000)

    with Shards() as shards, connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {_READ}", [shards.owned(), 10])
        [[[told]]] = cursor.fetchall()
    connection.close()  # and with it the session that would hold the shards

    assert sum(rows_read(told["Plan"])) < 1_000


def publish_backlog(*, orders: int, rows: int) -> None:
    """Commit so many events of so many orders at once, of which the planner has no statistics yet."""
    with transaction.atomic():
        publish_raw([_raw(key=str(number % orders), value=b"{}") for number in range(rows)])


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rows_read(plan: dict[str, Any]) -> Iterator[float]:
    """Yield how many rows each step of a plan took or passed over."""
    yield (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    for step_ in plan.get("Plans", []):
        yield from rows_read(step_)


def _publish_one(order_id: UUID) -> UUID:
    return publish(step(order_id=order_id), aggregate_type="order", aggregate_id=order_id, version=7)


def _find_record(*, key: bytes) -> Any:
    consumer = bare_consumer()
    consumer.subscribe(["orders"])
    found: list[Any] = []

    def look() -> bool:
        for batch in consumer.poll(timeout_ms=500).values():
            found.extend(record for record in batch if record.key == key)
        return bool(found)

    eventually(look)
    consumer.close(autocommit=False)
    return found[0]


def _raw(*, key: str, value: bytes) -> RawRecord:
    return RawRecord(
        event_id=uuid7(), topic="orders", type="test.raw.v1", key=key.encode(), value=value, headers=[]
    )
