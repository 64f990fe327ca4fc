"""Reading again what a worker has handled."""

import pytest
from django.db import transaction
from uuid_utils.compat import uuid7

from events.orders import OrderAdvanced
from workers.inbox import take
from workers.kafka_clients import idempotent_producer
from workers.record import Record
from workers.replay import read_handled
from workers.testing import record_of
from workers.tests.conftest import NewWorker, step
from workers.topics import create_topics


def _send(*records: Record) -> None:
    producer = idempotent_producer()
    for record in records:
        producer.send(record.topic, key=record.key, value=record.value, headers=record.headers)
    producer.flush(timeout=30)
    producer.close()


@pytest.mark.django_db(transaction=True)
def test_an_event_that_was_sent_twice_is_read_once_and_one_not_handled_not_at_all(
    kafka_servers: object, new_worker: NewWorker
) -> None:
    create_topics(partitions=3)
    worker = new_worker()
    worker.on(OrderAdvanced)(lambda _events: None)
    handled, unhandled = uuid7(), uuid7()
    twice = record_of(step(), event_id=handled)
    _send(twice, record_of(step(), event_id=unhandled), twice)
    take(worker=worker, event_ids=[handled])

    with transaction.atomic():
        read = [event.id for event in read_handled(worker=worker, structs=[OrderAdvanced])]

    assert read == [handled]
