"""Coupons: what they take off, who may use them, and that the last use is one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test import Client

from events.orders import OrderCancelled, OrderPlaced, OrderRejected
from orders.services import cancel_order
from shop.handlers import worker
from shop.models import Coupon, CouponUse
from shop.services import load_demo_coupons
from shop.tests.shelf import put_on_shelf
from shop.tests.test_api_orders import errors_of, order_of, post, read
from workers.testing import deliver, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shelf(db: None) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch", price=1490, stock=5)
    load_demo_coupons()


def place(client: Client, code: str, **changes: Any) -> Any:
    headers = changes.pop("headers", {})
    return post(client, "orders/", order_of(coupon=code, **changes), **headers)


def uses(code: str) -> int:
    return Coupon.objects.get(code=code).uses


def test_a_part_is_taken_off_the_goods(client: Client) -> None:
    token = place(client, "foxglove10").json()["token"]
    costs = read(client, token)["costs"]
    assert (costs["coupon"], costs["discount"]["amount"]) == ("FOXGLOVE10", 298)
    assert read(client, token)["total"]["amount"] == 2980 - 298 + 990
    assert published(OrderPlaced)[-1].charges.discount == 298


@pytest.mark.parametrize("code", ["NOSUCH", "LASTONE\x00", "x" * 41])
def test_an_unknown_code_is_refused_and_nothing_is_ordered(client: Client, code: str) -> None:
    assert list(errors_of(place(client, code))) == ["coupon"]
    assert published(OrderPlaced) == []


def test_a_small_basket_and_a_second_use_by_the_same_buyer_are_refused(client: Client) -> None:
    small = [{"sku": "FOX-1", "quantity": 1}]
    assert "too small" in errors_of(place(client, "WELCOME5", lines=small))["coupon"][0]
    assert place(client, "WELCOME5").status_code == 202
    assert "already" in errors_of(place(client, "WELCOME5", email="ADA@example.com"))["coupon"][0]
    assert place(client, "WELCOME5", email="eve@example.com").status_code == 202


def test_the_same_request_again_is_the_same_order_and_one_use(client: Client) -> None:
    first = place(client, "LASTONE", headers={"Idempotency-Key": "one"}).json()
    again = place(client, "LASTONE", headers={"Idempotency-Key": "one"}).json()
    assert first["token"] == again["token"]
    assert uses("LASTONE") == 1


def test_an_order_that_ends_unsold_gives_its_use_back_once(client: Client) -> None:
    place(client, "LASTONE")
    order = published(OrderPlaced)[-1]
    ended = OrderRejected(order_id=order.order_id, number=order.number, reason="out_of_stock")
    deliver(worker, ended, sequence=2)
    deliver(worker, ended, sequence=3)
    assert uses("LASTONE") == 0
    assert place(client, "LASTONE").status_code == 202


def test_the_use_of_another_order_stays(client: Client) -> None:
    place(client, "WELCOME5")
    order = published(OrderPlaced)[-1]
    place(client, "WELCOME5", email="eve@example.com")
    deliver(worker, OrderRejected(order_id=order.order_id, number=order.number, reason="expired"), sequence=2)
    assert uses("WELCOME5") == 1
    assert place(client, "WELCOME5").status_code == 202


def test_a_cancelled_order_gives_its_use_back(client: Client) -> None:
    token = place(client, "LASTONE").json()["token"]
    cancel_order(token=token, by="buyer")
    deliver(worker, published(OrderCancelled)[-1])
    assert uses("LASTONE") == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_the_last_use_at_once_one_gets_it() -> None:
    def buy(buyer: int) -> int:
        try:
            return int(place(Client(), "LASTONE", email=f"buyer{buyer}@example.com").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as buyers:
        answers = sorted(buyers.map(buy, range(6)))

    assert answers == [202, 422, 422, 422, 422, 422]
    assert (uses("LASTONE"), CouponUse.objects.count(), len(published(OrderPlaced))) == (1, 1, 1)


@pytest.mark.parametrize(
    "values", [{"percent": 100}, {"amount": 500, "minimum_subtotal": 500}, {"percent": 5, "amount": 5}, {}]
)
def test_no_coupon_can_make_an_order_cost_nothing(values: dict[str, int]) -> None:
    with pytest.raises(IntegrityError):
        Coupon.objects.create(code="TOO-MUCH", **values)
