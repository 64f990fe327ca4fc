"""The check itself: a witness who lies is found out, and every lie is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
import pytest

from tests.invariants import Witnesses, look
from tests.running_shop import RunningShop

# What a fault could leave behind, and how to mend it afterwards; %s is the order's id.
LIES = {
    "Every order has ended": (
        "UPDATE orders_order SET status = 'reserved' WHERE id = %s",
        "UPDATE orders_order SET status = 'completed' WHERE id = %s",
    ),
    "Pieces are neither lost nor made": (
        "UPDATE inventory_reservationline SET quantity = quantity + 1 WHERE order_id = %s",
        "UPDATE inventory_reservationline SET quantity = quantity - 1 WHERE order_id = %s",
    ),
    "The figures count every event once": (
        "UPDATE analytics_hourlyfigure SET value = value + 1 WHERE figure = 'completed' AND %s <> ''",
        "UPDATE analytics_hourlyfigure SET value = value - 1 WHERE figure = 'completed' AND %s <> ''",
    ),
    "What orders and payments say": (
        "UPDATE payments_payment SET captured_amount = captured_amount - 1 WHERE order_id = %s",
        "UPDATE payments_payment SET captured_amount = captured_amount + 1 WHERE order_id = %s",
    ),
    "An order's timeline has no gap": (
        "UPDATE orders_timelineentry SET sequence = 9 WHERE order_id = %s AND sequence = 2",
        "UPDATE orders_timelineentry SET sequence = 2 WHERE order_id = %s AND sequence = 9",
    ),
    "What is delivered had one parcel": (
        "UPDATE shipments_parcel SET status = 'stopped' WHERE order_id = %s",
        "UPDATE shipments_parcel SET status = 'delivered' WHERE order_id = %s",
    ),
    "takes every event that it hears": (
        "UPDATE workers_inboxentry SET consumer = 'nobody' WHERE consumer = 'analytics' AND %s <> ''",
        "UPDATE workers_inboxentry SET consumer = 'analytics' WHERE consumer = 'nobody' AND %s <> ''",
    ),
    "The orders are those that were accepted": (
        "UPDATE orders_order SET token = 'lost' || token WHERE id = %s",
        "UPDATE orders_order SET token = substr(token, 5) WHERE id = %s",
    ),
}


@contextmanager
def _lie(shop: RunningShop, *, tell: str, mend: str, order_id: str) -> Iterator[None]:
    with psycopg.connect(shop.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(tell, [order_id])
        try:
            yield
        finally:
            connection.execute(mend, [order_id])


@pytest.fixture(scope="module")
def ended(shop: RunningShop) -> tuple[datetime, str, str]:
    """An order that nothing has disturbed: the time before it, its token and its id."""
    since = shop.now()
    token = shop.placed()
    shop.require_invariants(since=since, accepted=[token])
    [[order_id]] = shop.query("SELECT id::text FROM orders_order WHERE token = %s", [token])
    return since, token, order_id


@pytest.mark.parametrize("rule", LIES)
def test_a_lie_is_found_out(shop: RunningShop, ended: tuple[datetime, str, str], rule: str) -> None:
    since, token, order_id = ended
    tell, mend = LIES[rule]

    with _lie(shop, tell=tell, mend=mend, order_id=order_id):
        findings = look(witnesses=Witnesses.of(shop.environment), accepted=[token], since=since)

    assert rule in str(findings)
