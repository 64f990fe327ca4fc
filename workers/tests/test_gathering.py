"""A worker that gathers is handed a trickle of events in few batches."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from events import Received
from events.orders import OrderAdvanced
from tests.waiting import eventually
from workers.kafka_clients import idempotent_producer
from workers.testing import record_of
from workers.tests.conftest import NewWorker, running, step
from workers.topics import create_topics

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_servers")]

COUNT = 60
# Without gathering about thirty on a quiet machine; with it one for each two seconds that the trickle takes.
MOST_BATCHES = 8


def trickle(*, count: int) -> list[UUID]:
    """Write so many events to Kafka, each when the last is acknowledged; return their ids."""
    producer = idempotent_producer()
    records = [record_of(step()) for _ in range(count)]
    for record in records:
        sent = producer.send(record.topic, key=record.key, value=record.value, headers=record.headers)
        sent.get(timeout=30)
    producer.close()
    return [UUID(record.header("ce_id")) for record in records]


def batches_of(*, new_worker: NewWorker, name: str, gather_ms: int) -> int:
    """Return in how many batches a worker was handed a trickle that it handled whole."""
    worker = new_worker(name, gather_ms=gather_ms)
    handled: list[set[UUID]] = []

    @worker.on(OrderAdvanced)
    def note(events: Sequence[Received[OrderAdvanced]]) -> None:
        handled.append({event.id for event in events})

    with running(worker):
        first, *_ = trickle(count=1)  # behind it lies whatever other tests have left
        eventually(lambda: any(first in batch for batch in handled), what="the worker runs")
        ids = set(trickle(count=COUNT))
        eventually(lambda: ids <= set().union(*handled), what="all is handled")
    return sum(1 for batch in handled if batch & ids)


def test_a_worker_that_gathers_gets_a_trickle_in_few_batches(new_worker: NewWorker) -> None:
    create_topics(partitions=1)
    assert batches_of(new_worker=new_worker, name="gathering", gather_ms=2_000) <= MOST_BATCHES
