"""What any Kafka client sees, and what a record that nobody can read does."""

from uuid import uuid4

import msgspec
from kafka import KafkaProducer

from events.declaration import declarations
from tests.running_shop import RunningShop
from tests.waiting import eventually
from workers.worker import all_workers

LARGE = 1_000_000  # with what went wrong in the headers it is more than Kafka takes
TOPICS = ["orders", "inventory", "payments", "shipments", "notifications"]


def test_the_records_of_an_order_are_cloudevents_with_the_order_id_as_key(shop: RunningShop) -> None:
    token = shop.placed()
    shop.wait_for(token, "completed")
    [[order_id]] = shop.query("SELECT id::text FROM orders_order WHERE token = %s", [token])

    of_order = [one for topic in TOPICS for one in shop.records(topic=topic) if one.key == order_id.encode()]

    names = {one.name for one in declarations()}
    for record in of_order:
        headers = {name: value.decode() for name, value in record.headers}
        assert headers["ce_specversion"] == "1.0"
        assert headers["ce_type"] in names
        assert headers["ce_subject"] == order_id
        assert msgspec.json.decode(record.value)["order_id"] == order_id
    told = [dict(record.headers) for record in of_order if record.topic == "orders"]
    assert [int(headers["sequence"]) for headers in told] == [1, 2, 3, 4, 5]
    assert len({headers["correlationid"] for headers in told[:3]}) == 1


def test_a_record_nobody_can_read_is_one_dead_letter_for_each_reader_and_the_rest_goes_on(
    shop: RunningShop,
) -> None:
    producer = KafkaProducer(bootstrap_servers=shop.environment["KAFKA_BOOTSTRAP_SERVERS"])
    keys = {topic: f"by-hand-{uuid4()}" for topic in TOPICS}
    expected = 0
    for topic, key in keys.items():
        heard = next(one for one in declarations() if one.topic == topic)
        readers = [worker for worker in all_workers() if heard.name in worker.handlers]
        expected += 3 * len(readers)
        named = [("ce_type", heard.name.encode())]
        producer.send(topic, key=key.encode(), value=b"{not json", headers=named)
        producer.send(topic, key=f"{key}-empty".encode(), value=None, headers=named)
        producer.send(topic, key=f"{key}-large".encode(), value=b"x" * LARGE, headers=named)
        unknown = [("ce_type", f"{topic}.never_declared.v1".encode())]
        producer.send(topic, key=f"{key}-unknown".encode(), value=b"{}", headers=unknown)
        producer.send(topic, value=b"\xff\xfe no headers, no key")
    producer.flush(timeout=30)
    producer.close()

    def letters() -> int:
        rows = shop.query(
            "SELECT count(*) FROM workers_deadletter WHERE convert_from(key, 'UTF8') LIKE 'by-hand-%%'"
        )
        return int(rows[0][0])

    eventually(lambda: letters() == expected, what=f"{expected} dead letters")
    since = shop.now()
    shop.require_invariants(since=since, accepted=[shop.placed()])
    assert letters() == expected
