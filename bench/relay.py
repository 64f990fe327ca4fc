"""A backlog in the outbox through the relay, beside a bare producer that sends the same records."""

import time
from typing import Any

import msgspec
from django.db import connection

from bench.figures import Figures
from bench.processes import cpu_seconds, difference
from bench.shop import Shop, running_shop, wait_until

# Records as an order makes them: eleven headers, 400 bytes of value, a key that comes five times.
_FILL = """
    INSERT INTO events_outboxevent
        (event_id, shard, topic, key, type, headers, payload, aggregate_type, aggregate_id, aggregate_version)
    SELECT gen_random_uuid(), hashint4(number / 5) & 15, 'orders', convert_to(md5((number / 5)::text), 'UTF8'),
           'bench.backlog.v1', %s, convert_to(repeat('x', 400), 'UTF8'), 'bench', number::text, 1
    FROM generate_series(1, %s) AS number
"""
_READ = "SELECT topic, key, headers, payload FROM events_outboxevent ORDER BY id"
_SOON = 2_000


def run(*, rows: int = 100_000) -> Figures:
    """Relay `rows` rows and send as many by a bare producer; both are timed from their first records on."""
    with running_shop() as shop:
        _fill(rows=rows)
        floor = _bare_producer(rows=rows)
        relayed = _relay(shop=shop, rows=rows)
    return {
        "rows": rows,
        **relayed,
        "floor_per_second": round(floor, 1),
        "ratio": round(relayed["relay_per_second"] / floor, 3),
    }


def _fill(*, rows: int) -> None:
    headers = [
        *(("ce_specversion", b"1.0"), ("ce_id", b"0" * 36), ("ce_source", b"/waybill/orders")),
        *(
            ("ce_type", b"bench.backlog.v1"),
            ("ce_time", b"2026-01-01T00:00:00.000000Z"),
            ("ce_subject", b"0" * 36),
        ),
        *(("ce_dataschema", b"/schemas/bench.backlog.v1.json"), ("content-type", b"application/json")),
        *(("traceparent", b"0" * 55), ("correlationid", b"0" * 36), ("sequence", b"1")),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [msgspec.msgpack.encode(headers), rows])


def _bare_producer(*, rows: int) -> float:
    from workers.kafka_clients import idempotent_producer

    records = _records()
    producer = idempotent_producer()
    _send(producer, records[:_SOON])
    started = time.monotonic()
    for first in range(_SOON, rows, 500):
        _send(producer, records[first : first + 500])
    seconds = time.monotonic() - started
    producer.close(timeout=10)
    return (rows - _SOON) / seconds


def _records() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        return [
            (topic, key, msgspec.msgpack.decode(headers, type=list[tuple[str, bytes]]), payload)
            for topic, key, headers, payload in cursor.fetchall()
        ]


def _send(producer: Any, records: list[tuple[Any, ...]]) -> None:
    sent = [
        producer.send(topic, key=key, headers=headers, value=value) for topic, key, headers, value in records
    ]
    for future in sent:
        future.get(timeout=60)


def _relay(*, shop: Shop, rows: int) -> Figures:
    relay = shop.start_workers("relay", label="relay")
    wait_until(lambda: _left() <= rows - _SOON, seconds=120, what="The relay's start")
    left, before, started = _left(), cpu_seconds(state=shop.state), time.monotonic()
    wait_until(_is_empty, seconds=600, what="An empty outbox")
    seconds = time.monotonic() - started
    used = difference(before=before, after=cpu_seconds(state=shop.state))
    shop.end(relay)
    return {
        "relay_per_second": round(left / seconds, 1),
        "cpu_us_each": {name: round(used[name] / left * 1e6, 1) for name in ("relay", "postgres", "kafka-1")},
    }


def _is_empty() -> bool:
    # Asked twenty times a second: the last row of the index stands until the end, and a count would read them all.
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM events_outboxevent ORDER BY shard DESC, id DESC LIMIT 1")
        return cursor.fetchone() is None


def _left() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events_outboxevent")
        [count] = cursor.fetchone()
        return int(count)
