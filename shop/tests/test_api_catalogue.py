"""A program looks at the catalogue and makes payment methods."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from payments.gateways import close_gateway
from shop.models import Attribute, Product
from shop.tests.shelf import put_on_shelf, sell_elsewhere, withdraw
from stack import ports

pytestmark = pytest.mark.django_db

CARD = {"number": "4242424242424242", "expiry_month": 8, "expiry_year": 2099, "cvc": "123"}


@pytest.fixture
def no_bank(settings: Any) -> Iterator[None]:
    """Have nobody answer where the provider should be."""
    settings.BANK_URL = f"http://127.0.0.1:{ports.find_free()}"
    close_gateway()
    yield
    close_gateway()


def describe(product: Product, **attributes: str) -> None:
    """Say something about a product that the list can be filtered by."""
    for key in attributes:
        Attribute.objects.get_or_create(
            product_type=product.product_type, key=key, defaults={"label": key, "is_facet": True}
        )
    product.attributes = attributes
    product.save()


def skus(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [product["sku"] for product in answer.json()["results"]]


def pay_with(client: Client, **changes: Any) -> Any:
    return client.post("/api/v1/payment-methods/", {**CARD, **changes}, content_type="application/json")


def test_a_list_tells_of_each_product_what_one_needs_to_order_it(client: Client, settings: Any) -> None:
    describe(put_on_shelf(sku="FOX-1", title="Middlemarch", price=1490, stock=9), language="English")

    [product] = client.get("/api/v1/products/").json()["results"]

    assert product.pop("image").startswith(f"{settings.SHOP_URL}/covers/FOX-1.svg")
    assert product == {
        "sku": "FOX-1",
        "slug": "fox-1",
        "title": "Middlemarch",
        "price": {"amount": 1490, "currency": "EUR"},
        "stock": "in_stock",
        "attributes": {"language": "English"},
    }


def test_stock_is_told_in_words(client: Client) -> None:
    put_on_shelf(sku="FOX-1", stock=6)
    put_on_shelf(sku="FOX-2", stock=6)
    put_on_shelf(sku="FOX-3", stock=6)
    sell_elsewhere(sku="FOX-2", quantity=1)
    sell_elsewhere(sku="FOX-3", quantity=6)

    found = client.get("/api/v1/products/").json()["results"]

    assert [product["stock"] for product in found] == ["in_stock", "low", "sold_out"]


def test_a_list_is_searched_filtered_and_sorted(client: Client) -> None:
    describe(put_on_shelf(sku="FOX-1", title="Emma", price=900), language="English")
    describe(put_on_shelf(sku="FOX-2", title="Candide", price=700), language="French")
    describe(put_on_shelf(sku="FOX-3", title="Nana", price=800), language="French")
    withdraw(sku="FOX-3")
    ask = "/api/v1/products/"

    assert skus(client.get(ask, {"search": "candide"})) == ["FOX-2"]
    assert skus(client.get(ask, {"language": "French"})) == ["FOX-2"]
    assert skus(client.get(ask, {"language": ["French", "English"]})) == ["FOX-1", "FOX-2"]
    assert skus(client.get(ask, {"category": "novels", "sort": "price"})) == ["FOX-2", "FOX-1"]
    assert skus(client.get(ask, {"category": "poems"})) == []


def test_cursors_lead_through_a_whole_listing_and_back(client: Client, settings: Any) -> None:
    for number in range(60):
        put_on_shelf(sku=f"FOX-{number}", price=1000 + number)
    address = f"{settings.SHOP_URL}/api/v1/products/?sort=-price"
    seen: list[str] = []
    pages: list[dict[str, Any]] = []
    while address:
        answer = client.get(address.removeprefix(settings.SHOP_URL))
        seen, pages = seen + skus(answer), [*pages, answer.json()]
        address = answer.json()["next"]

    assert seen == [f"FOX-{number}" for number in reversed(range(60))]
    assert pages[0]["previous"] is None
    back = client.get(pages[-1]["previous"].removeprefix(settings.SHOP_URL))
    assert skus(back) == [product["sku"] for product in pages[-2]["results"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "weight"),
        ("sort", "\0"),
        ("cursor", "x"),
        ("cursor", "é"),
        ("cursor", "bnVsbA=="),
        ("cursor", "\0"),
    ],
)
def test_a_listing_that_cannot_be_is_refused(client: Client, name: str, value: str) -> None:
    answer = client.get("/api/v1/products/", {name: value})

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [name]


@pytest.mark.parametrize("name", ["search", "category", "language", "nothing"])
@pytest.mark.parametrize("value", ["\0", "\ud7ff" * 500, "' OR 1=1 --", "%", "(((", "🦊"])
def test_odd_words_find_nothing_and_break_nothing(client: Client, name: str, value: str) -> None:
    describe(put_on_shelf(sku="FOX-1"), language="English")

    assert client.get("/api/v1/products/", {name: value}).status_code == 200


def test_a_product_is_told_in_full(client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch", stock=3)

    product = client.get("/api/v1/products/fox-1/").json()

    assert (product["title"], product["byline"], product["stock"]) == ("Middlemarch", "George Eliot", "low")
    assert product["category"] == "novels"


def test_an_unknown_product_is_not_found_and_one_no_longer_sold_is_gone(client: Client) -> None:
    put_on_shelf(sku="FOX-1")
    withdraw(sku="FOX-1")

    assert client.get("/api/v1/products/fox-2/").status_code == 404
    assert client.get("/api/v1/products/fox-1/").status_code == 410


def test_a_longer_list_takes_no_more_statements(client: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/api/v1/products/")
        return len([query for query in asked if "shop_api_calls" not in query["sql"]])

    put_on_shelf(sku="FOX-0")
    with_one = statements()
    for number in range(1, 24):
        put_on_shelf(sku=f"FOX-{number}")

    assert statements() == with_one == 3


@pytest.mark.usefixtures("bank_server")
def test_a_demo_card_becomes_a_payment_method(client: Client) -> None:
    answer = pay_with(client)

    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "brand": "visa", "last4": "4242"}
    assert answer.json()["id"].startswith("pm_")


@pytest.mark.usefixtures("bank_server")
def test_a_payment_method_made_here_pays_an_order(client: Client) -> None:
    put_on_shelf(sku="FOX-1")
    ship_to = {"name": "Ada", "line1": "1 Street", "city": "Wien", "postal_code": "1010", "country": "AT"}
    body = {
        "lines": [{"sku": "FOX-1", "quantity": 1}],
        "email": "ada@example.com",
        "ship_to": ship_to,
        "payment_method": pay_with(client).json()["id"],
    }

    assert client.post("/api/v1/orders/", body, content_type="application/json").status_code == 202


@pytest.mark.usefixtures("bank_server")
def test_a_number_that_is_no_demo_card_is_refused_without_repeating_it(client: Client) -> None:
    answer = pay_with(client, number="5555555555554444")

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["number"]
    assert b"5555555555554444" not in answer.content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "4242"),
        ("number", "4242424242424242\n"),
        ("number", 4242424242424242),
        ("expiry_month", 13),
        ("expiry_year", 99),
        ("expiry_year", 2020),
        ("cvc", "12"),
        ("cvc", "١٢٣"),
    ],
)
def test_a_mistake_in_the_card_is_named_without_repeating_it(client: Client, field: str, value: Any) -> None:
    answer = pay_with(client, **{field: value})

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert b"4242" not in answer.content


def test_while_the_provider_cannot_be_reached_one_is_told_when_to_try_again(
    client: Client, no_bank: None
) -> None:
    answer = pay_with(client)

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"] == "application/problem+json"
