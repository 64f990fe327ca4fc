"""A partition that has records and does not move ends the process; one that stands still for a reason does not."""

import pytest
from kafka import TopicPartition
from uuid_utils.compat import uuid7

from events.orders import OrderAdvanced
from tests.waiting import eventually
from workers import consumer, progress
from workers.consumer import Subscription
from workers.kafka_clients import idempotent_producer
from workers.progress import PATIENCE_SECONDS, PartitionStuck, Progress
from workers.testing import record_of
from workers.tests.conftest import NewWorker, step
from workers.topics import create_topics

ONE, OTHER = TopicPartition("orders", 0), TopicPartition("orders", 1)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_partition_with_records_that_stands_still_for_a_minute_is_stuck() -> None:
    clock = Clock()
    watched = Progress(clock=clock)
    watched.note(positions={ONE: 5}, ends={ONE: 9})
    clock.seconds = PATIENCE_SECONDS
    watched.note(positions={ONE: 5}, ends={ONE: 12})
    clock.seconds += 1
    with pytest.raises(PartitionStuck, match="stands at 5 of 12"):
        watched.note(positions={ONE: 5}, ends={ONE: 12})


def test_a_client_that_does_not_know_where_it_is_is_stuck_too() -> None:
    clock = Clock()
    watched = Progress(clock=clock)
    watched.note(positions={ONE: None}, ends={ONE: 9})
    clock.seconds = PATIENCE_SECONDS + 1
    with pytest.raises(PartitionStuck):
        watched.note(positions={ONE: None}, ends={ONE: 9})


@pytest.mark.parametrize(
    ("position", "end"),
    [(9, 9), (6, 9)],
    ids=["nothing to read", "it moves"],
)
def test_a_partition_without_records_or_one_that_moves_is_not_stuck(position: int, end: int) -> None:
    clock = Clock()
    watched = Progress(clock=clock)
    for turn in range(3):
        moved = position if position == end else position + turn
        watched.note(positions={ONE: moved}, ends={ONE: end})
        clock.seconds += PATIENCE_SECONDS + 1


def test_a_pause_and_another_owner_begin_the_minute_anew() -> None:
    clock = Clock()
    watched = Progress(clock=clock)
    watched.note(positions={ONE: 5}, ends={ONE: 9})
    clock.seconds = PATIENCE_SECONDS + 1
    watched.forget()
    watched.note(positions={ONE: 5}, ends={ONE: 9})
    clock.seconds += PATIENCE_SECONDS + 1
    watched.note(positions={OTHER: 5}, ends={OTHER: 9})
    watched.note(positions={ONE: 5}, ends={ONE: 9})


def test_a_client_that_stops_reading_amid_a_topic_is_found_out(
    kafka_servers: object, new_worker: NewWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_topics(partitions=3)
    monkeypatch.setattr(consumer, "_LOOK_AT_PROGRESS_SECONDS", 0.2)
    worker = new_worker(f"probe-{uuid7()}")
    worker.on(OrderAdvanced)(lambda _events: None)

    with Subscription(worker=worker, patience_seconds=20) as subscription:
        client = subscription._consumer
        eventually(lambda: not subscription.poll() and client.assignment())
        client.pause(*client.assignment())  # as a client does that got stuck: it polls, and nothing comes
        monkeypatch.setattr(progress, "PATIENCE_SECONDS", 1.0)
        _send_one()
        with pytest.raises(PartitionStuck):
            eventually(lambda: subscription.poll(), seconds=15)


def _send_one() -> None:
    producer = idempotent_producer()
    record = record_of(step())
    producer.send(record.topic, key=record.key, value=record.value, headers=record.headers)
    producer.flush(timeout=30)
    producer.close()
