"""The floor under a checkout: a bare Django view that writes order, lines, timeline and outbox in one statement.

Served by the same server with the same settings as the shop; it knows no prices, no stock, no idempotency, no
throttle, no validation.
"""

import secrets
from typing import Any

import msgspec
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from uuid_utils.compat import uuid7

APPLICATION = "bench.floor_wsgi:application"

_TABLES = """
    CREATE TABLE IF NOT EXISTS bench_order (
        id uuid PRIMARY KEY, number text UNIQUE, token text UNIQUE, status text, email text, ship_to jsonb,
        total bigint, currency text, payment_method text, placed_at timestamptz);
    CREATE TABLE IF NOT EXISTS bench_line (
        id bigserial PRIMARY KEY, order_id uuid REFERENCES bench_order, position int, sku text, quantity int,
        UNIQUE (order_id, position));
    CREATE TABLE IF NOT EXISTS bench_entry (
        id bigserial PRIMARY KEY, order_id uuid REFERENCES bench_order, sequence int, text text, at timestamptz,
        UNIQUE (order_id, sequence));
    CREATE TABLE IF NOT EXISTS bench_outbox (
        id bigserial PRIMARY KEY, event_id uuid, shard int, key bytea, headers bytea, payload bytea);
    CREATE INDEX IF NOT EXISTS bench_outbox_shard ON bench_outbox (shard, id);
"""
_PLACE = """
    WITH placed AS (
        INSERT INTO bench_order VALUES (%(id)s, %(number)s, %(token)s, 'placed', %(email)s, %(ship_to)s, 2000,
                                        'EUR', %(payment_method)s, now())
        RETURNING id
    ), lines AS (
        INSERT INTO bench_line (order_id, position, sku, quantity)
        SELECT placed.id, line.position, line.sku, line.quantity FROM placed,
            unnest(%(skus)s::text[], %(quantities)s::int[]) WITH ORDINALITY AS line (sku, quantity, position)
    ), entry AS (
        INSERT INTO bench_entry (order_id, sequence, text, at) SELECT id, 1, 'We have your order.', now() FROM placed
    )
    INSERT INTO bench_outbox (event_id, shard, key, headers, payload)
    SELECT %(event_id)s, %(shard)s, %(key)s, %(headers)s, %(body)s FROM placed
"""


def make_tables() -> None:
    """Make the floor's tables."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)


def place(request: HttpRequest) -> HttpResponse:
    """Write the order as it comes."""
    wanted: dict[str, Any] = msgspec.json.decode(request.body)
    order_id = uuid7()
    parameters = {
        "id": order_id,
        "number": str(order_id),
        "token": secrets.token_urlsafe(24),
        "email": wanted["email"],
        "ship_to": msgspec.json.encode(wanted["ship_to"]).decode(),
        "payment_method": wanted["payment_method"],
        "skus": [line["sku"] for line in wanted["lines"]],
        "quantities": [line["quantity"] for line in wanted["lines"]],
        "event_id": uuid7(),
        "shard": order_id.int % 16,
        "key": str(order_id).encode(),
        "headers": bytes(500),
        "body": request.body,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, parameters)
    body = msgspec.json.encode({"id": order_id, "token": parameters["token"]})
    headers = {"Content-Length": str(len(body))}
    return HttpResponse(body, status=202, content_type="application/json", headers=headers)


urlpatterns = [path("api/v1/orders/", place)]
