"""A program buys and follows its order, by the API alone."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.inventory import StockReserved
from events.orders import OrderPlaced
from events.payments import PaymentActionRequired, PaymentCaptured, PaymentDeclined
from events.shipments import ShipmentDispatched
from events.values import Card, Line
from orders.handlers import worker as saga
from shop.tests.shelf import change_price, put_on_shelf, sell_elsewhere, withdraw
from workers.testing import deliver, published

pytestmark = pytest.mark.django_db

SHIP_TO = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4LE",
    "country": "GB",
}
LINE = Line(sku="FOX-1", title="Middlemarch", quantity=2, unit_price=1490)
TO_LONDON = 990
CARD = Card(brand="visa", last4="4242")


@pytest.fixture(autouse=True)
def _shelf() -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch", price=1490, stock=5)


def order_of(**changes: Any) -> dict[str, Any]:
    """Return the body of an order that is right but for `changes`."""
    return {
        "lines": [{"sku": "FOX-1", "quantity": 2}],
        "email": "ada@example.com",
        "ship_to": SHIP_TO,
        "payment_method": "pm_card_visa",
        **changes,
    }


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def place(client: Client, **headers: str) -> Any:
    answer = post(client, "orders/", order_of(), **headers)
    assert answer.status_code == 202, answer.content
    return answer.json()


def read(client: Client, token: str) -> Any:
    return client.get(f"/api/v1/orders/{token}/").json()


def errors_of(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.content
    errors: dict[str, list[str]] = answer.json()["errors"]
    return errors


def is_bookkeeping(sql: str) -> bool:
    """Whether a statement is of the throttle, which asks about once a second, or begins and ends a transaction."""
    return "shop_api_calls" in sql or "SAVEPOINT" in sql


def placed_id() -> UUID:
    return published(OrderPlaced)[-1].order_id


def hold_books(order_id: UUID) -> None:
    until = timezone.now() + timedelta(minutes=15)
    deliver(saga, StockReserved(order_id=order_id, lines=(LINE,), hold_expires_at=until))


def decline(order_id: UUID) -> None:
    declined = PaymentDeclined(order_id=order_id, attempt_id=uuid4(), decline_code="card_declined", card=CARD)
    deliver(saga, declined, sequence=2)


def test_an_order_is_taken_and_says_where_to_follow_it(client: Client, settings: Any) -> None:
    answer = post(client, "orders/", order_of())
    order = answer.json()

    here = f"{settings.SHOP_URL}/api/v1/orders/{order['token']}/"
    assert answer.status_code == 202
    assert answer["Location"] == here
    assert order["status"] == "placed"
    assert order["total"] == {"amount": 2980 + TO_LONDON, "currency": "EUR"}
    assert order["links"] == {
        "self": here,
        "timeline": f"{here}timeline/",
        "page": f"{settings.SHOP_URL}/orders/{order['token']}/",
        "live": f"ws{settings.SHOP_URL.removeprefix('http')}/ws/orders/{order['token']}/",
    }


def test_a_shop_whose_sockets_live_elsewhere_says_so(client: Client, settings: Any) -> None:
    settings.LIVE_URL = "wss://live.shop.example"

    order = place(client)

    assert order["links"]["live"] == f"wss://live.shop.example/ws/orders/{order['token']}/"


def test_an_order_says_how_its_total_comes_about(client: Client) -> None:
    there = {**SHIP_TO, "country": "DE"}
    answer = post(client, "orders/", order_of(ship_to=there, shipping_method="express"))

    costs = read(client, answer.json()["token"])["costs"]

    assert {name: costs[name]["amount"] for name in ("subtotal", "discount", "shipping", "tax")} == {
        "subtotal": 2980,
        "discount": 0,
        "shipping": 690,
        "tax": 240,
    }
    assert (costs["shipping_method"], costs["tax_rate"], costs["coupon"]) == ("express", 700, "")
    assert published(OrderPlaced)[-1].charges.tax == 240


def test_a_way_of_delivery_that_is_none_is_refused(client: Client) -> None:
    assert list(errors_of(post(client, "orders/", order_of(shipping_method="owl")))) == ["shipping_method"]


def test_no_session_and_no_forgery_token_are_needed() -> None:
    stranger = Client(enforce_csrf_checks=True)

    assert post(stranger, "orders/", order_of()).status_code == 202
    assert not stranger.cookies


def test_prices_are_the_shops_not_the_callers(client: Client) -> None:
    change_price(sku="FOX-1", price=1600)

    assert place(client)["total"]["amount"] == 3200 + TO_LONDON


def test_a_price_in_the_request_is_refused_as_unknown(client: Client) -> None:
    lines = [{"sku": "FOX-1", "quantity": 1, "unit_price": 1}]

    assert errors_of(post(client, "orders/", order_of(lines=lines))) == {
        "lines[0].unit_price": ["There is no such field."]
    }


def test_what_is_sold_out_is_ordered_all_the_same_for_stock_is_decided_later(client: Client) -> None:
    sell_elsewhere(sku="FOX-1", quantity=5)

    assert post(client, "orders/", order_of()).status_code == 202


def test_what_is_not_sold_is_refused_by_line(client: Client) -> None:
    put_on_shelf(sku="FOX-2", title="Emma")
    withdraw(sku="FOX-2")
    lines = [{"sku": sku, "quantity": 1} for sku in ("FOX-1", "FOX-2", "FOX-3", "FOX-1")]

    errors = errors_of(post(client, "orders/", order_of(lines=lines)))

    assert list(errors) == ["lines[1].sku", "lines[2].sku", "lines[3].sku"]
    assert "earlier line" in errors["lines[3].sku"][0]
    assert published(OrderPlaced) == []


def test_every_mistake_is_named_at_once(client: Client) -> None:
    body = {
        "lines": [{"sku": "FOX-1", "quantity": 0}, {"sku": 7}, "FOX-1"],
        "email": "ada",
        "ship_to": {**SHIP_TO, "country": "XX", "city": "   ", "planet": "Earth"},
        "gift": "yes",
    }

    assert set(errors_of(post(client, "orders/", body))) == {
        "lines[0].quantity",
        "lines[1].sku",
        "lines[1].quantity",
        "lines[2]",
        "email",
        "ship_to.country",
        "ship_to.city",
        "ship_to.planet",
        "payment_method",
        "gift",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "ada@"),
        ("email", "ada@example"),
        ("email", "ada@example.com\n"),
        ("email", "a" * 250 + "@example.com"),
        ("lines", []),
        ("lines", [{"sku": "FOX-1", "quantity": 1}] * 51),
        ("lines", "FOX-1"),
        ("lines", None),
        ("lines[0].quantity", 100),
        ("lines[0].quantity", -1),
        ("lines[0].quantity", 1.5),
        ("lines[0].quantity", "1"),
        ("lines[0].quantity", True),
        ("lines[0].sku", "FOX\0"),
        ("lines[0].sku", "FOX-1\n"),
        ("ship_to.name", "Ada\0"),
        ("ship_to.name", "Ada\nBcc: all@example.com"),
        ("ship_to.name", ""),
        ("ship_to.line2", "\x1b[31m"),
        ("ship_to.country", "gb"),
        ("ship_to.country", "GB\n"),
        ("ship_to.postal_code", "1" * 13),
        ("payment_method", "pm_card_of_somebody_else"),
        ("payment_method", "4242424242424242"),
    ],
)
def test_a_mistake_is_named_by_its_field(client: Client, field: str, value: Any) -> None:
    body = order_of()
    if field.startswith("lines[0]."):
        body["lines"] = [{**body["lines"][0], field.removeprefix("lines[0]."): value}]
    elif field.startswith("ship_to."):
        body["ship_to"] = {**SHIP_TO, field.removeprefix("ship_to."): value}
    else:
        body[field] = value

    assert list(errors_of(post(client, "orders/", body))) == [field]


def test_the_same_request_with_the_same_key_is_one_order(client: Client) -> None:
    first = place(client, **{"Idempotency-Key": "one"})
    hold_books(placed_id())

    again = place(client, **{"Idempotency-Key": "one"})

    assert again == first
    assert len(published(OrderPlaced)) == 1


def test_the_same_request_gives_the_same_answer_also_when_its_products_are_no_longer_sold(
    client: Client,
) -> None:
    first = place(client, **{"Idempotency-Key": "one"})
    withdraw(sku="FOX-1")

    assert place(client, **{"Idempotency-Key": "one"}) == first
    assert post(client, "orders/", order_of(), **{"Idempotency-Key": "two"}).status_code == 422


def test_an_order_takes_two_statements(client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        place(client, **{"Idempotency-Key": "one"})

    statements = [query["sql"] for query in asked if not is_bookkeeping(query["sql"])]
    assert len(statements) == 2, "the products; the order with its event"


def test_without_a_key_every_request_is_an_order(client: Client) -> None:
    assert place(client)["token"] != place(client)["token"]


def test_another_request_with_the_same_key_is_refused(client: Client) -> None:
    place(client, **{"Idempotency-Key": "one"})

    answer = post(client, "orders/", order_of(email="eve@example.com"), **{"Idempotency-Key": "one"})

    assert list(errors_of(answer)) == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "schlüssel"])
def test_a_key_that_is_none_is_refused(client: Client, key: str) -> None:
    answer = post(client, "orders/", order_of(), **{"Idempotency-Key": key})

    assert list(errors_of(answer)) == ["Idempotency-Key"]


def test_an_order_tells_how_far_it_has_come(client: Client) -> None:
    token = place(client)["token"]
    order = read(client, token)

    assert order["status"] == "placed"
    assert "reason" not in order
    assert order["sequence"] == 1
    assert order["lines"] == [
        {
            "sku": "FOX-1",
            "title": "Middlemarch",
            "quantity": 2,
            "unit_price": {"amount": 1490, "currency": "EUR"},
            "total": {"amount": 2980, "currency": "EUR"},
        }
    ]
    assert order["ship_to"] == {**SHIP_TO, "line2": ""}
    assert (order["payment"], order["shipment"]) == (None, None)
    assert [(entry["sequence"], entry["type"]) for entry in order["timeline"]] == [(1, "placed")]


def test_a_shipped_order_tells_of_card_and_parcel(client: Client) -> None:
    token, order_id = place(client)["token"], placed_id()
    hold_books(order_id)
    paid = PaymentCaptured(order_id=order_id, attempt_id=uuid4(), amount=2980, currency="EUR", card=CARD)
    deliver(saga, paid, sequence=2)
    day = timezone.now().date()
    sent = ShipmentDispatched(
        order_id=order_id, carrier="Foxpost", tracking_number="FX1", estimated_delivery_on=day
    )
    deliver(saga, sent, sequence=3)

    order = read(client, token)

    assert order["status"] == "shipped"
    assert order["payment"] == {"brand": "visa", "last4": "4242", "status": "captured"}
    assert order["shipment"] == {
        "carrier": "Foxpost",
        "tracking_number": "FX1",
        "estimated_delivery_on": day.isoformat(),
    }


def test_an_order_that_waits_for_the_buyers_bank_says_where_to_approve(client: Client) -> None:
    token, order_id = place(client)["token"], placed_id()
    hold_books(order_id)
    asked = PaymentActionRequired(
        order_id=order_id, attempt_id=uuid4(), card=CARD, action_url="https://bank.example/3ds/1"
    )
    deliver(saga, asked, sequence=2)

    order = read(client, token)

    assert order["status"] == "action_required"
    assert order["links"]["approve"] == "https://bank.example/3ds/1"


def test_a_timeline_is_read_from_where_one_stopped(client: Client) -> None:
    token = place(client)["token"]
    hold_books(placed_id())

    told = client.get(f"/api/v1/orders/{token}/timeline/?after=1").json()

    assert (told["status"], told["sequence"]) == ("reserved", 2)
    assert [entry["sequence"] for entry in told["timeline"]] == [2]
    assert set(told["timeline"][0]) == {"sequence", "type", "at", "text"}


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "²", "9" * 30, "4294967296", "%00"])
def test_a_place_in_the_timeline_that_is_no_number_is_refused(client: Client, after: str) -> None:
    token = place(client)["token"]

    assert list(errors_of(client.get(f"/api/v1/orders/{token}/timeline/?after={after}"))) == ["after"]


def test_an_order_is_cancelled_once(client: Client) -> None:
    token = place(client)["token"]

    first = post(client, f"orders/{token}/cancel/")
    again = post(client, f"orders/{token}/cancel/")

    assert (first.status_code, first.json()["status"]) == (202, "cancelled")
    assert (again.status_code, again.json()["detail"]) == (409, "This order has ended already.")
    assert read(client, token)["reason"] == "cancelled_by_buyer"


def test_a_declined_order_is_paid_with_another_card(client: Client) -> None:
    token, order_id = place(client)["token"], placed_id()
    hold_books(order_id)
    decline(order_id)

    answer = post(client, f"orders/{token}/pay/", {"payment_method": "pm_card_visa"})

    assert (answer.status_code, answer.json()["status"]) == (202, "reserved")


def test_an_order_that_waits_for_no_card_takes_none(client: Client) -> None:
    token = place(client)["token"]

    answer = post(client, f"orders/{token}/pay/", {"payment_method": "pm_card_visa"})

    assert answer.status_code == 409
    assert answer.json()["detail"] == "This order does not wait for another card."


def test_an_order_is_not_paid_with_what_is_no_payment_method(client: Client) -> None:
    token = place(client)["token"]

    answer = post(client, f"orders/{token}/pay/", {"payment_method": "pm_nobodys"})

    assert list(errors_of(answer)) == ["payment_method"]


@pytest.mark.parametrize("call", ["", "timeline/"])
def test_without_the_right_token_nothing_is_read(client: Client, call: str) -> None:
    assert client.get(f"/api/v1/orders/nobodys-token/{call}").status_code == 404


@pytest.mark.parametrize(("call", "body"), [("cancel/", None), ("pay/", {"payment_method": "pm_card_visa"})])
def test_without_the_right_token_nothing_is_done(client: Client, call: str, body: Any) -> None:
    assert post(client, f"orders/nobodys-token/{call}", body).status_code == 404


def test_nothing_on_the_way_keeps_an_order(client: Client) -> None:
    token = place(client)["token"]

    assert client.get(f"/api/v1/orders/{token}/")["Cache-Control"] == "no-store"
