"""The API's description: sound, complete, and shown by a page that needs nobody else's server."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from playwright.sync_api import sync_playwright
from pytest_django.live_server_helper import LiveServer

from shop.tests.shelf import put_on_shelf

pytestmark = pytest.mark.django_db


def read_document(client: Client) -> Any:
    return client.get("/api/v1/schema/").json()


def test_the_document_is_made_without_a_warning_and_is_openapi(tmp_path: Path) -> None:
    document = tmp_path / "openapi.yaml"

    call_command("spectacular", "--validate", "--fail-on-warn", file=str(document))

    assert document.read_text().startswith("openapi: 3.1")


def test_every_call_is_described(client: Client) -> None:
    served = {
        "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", "".join(str(part.pattern) for part in parts))
        for parts in _routes(get_resolver("shop.apis.urls"))
    }
    described = {path.removeprefix("/api") for path in read_document(client)["paths"]}

    assert described == served - {"/v1/schema/", "/v1/docs/", "/"}


def test_every_refusal_is_described_as_a_problem(client: Client) -> None:
    for path, calls in read_document(client)["paths"].items():
        for call in calls.values():
            for status, answer in call["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_limits_are_those_that_are_checked(client: Client) -> None:
    schemas = read_document(client)["components"]["schemas"]

    assert schemas["WantedLine"]["properties"]["quantity"] == {"type": "integer", "minimum": 1, "maximum": 20}
    assert schemas["OrderRequest"]["properties"]["lines"]["maxItems"] == 50
    assert schemas["OrderRequest"]["additionalProperties"] is False


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_every_call_under_our_content_security_policy(
    live_server: LiveServer, chromium_path: Path
) -> None:
    put_on_shelf(sku="FOX-1")
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend(_if_foreign(request.url, live_server.url)))
        page.goto(f"{live_server.url}/api/v1/docs/")
        page.get_by_text("Place an order", exact=True).click()
        page.get_by_role("button", name="Try it out").click()
        shown = page.locator(".opblock").count()
        browser.close()

    assert shown == 8
    assert complaints == []


def _routes(resolver: Any) -> list[list[Any]]:
    return [[pattern] for pattern in resolver.url_patterns]


def _if_foreign(url: str, ours: str) -> list[str]:
    return [] if url.startswith((ours, "data:", "blob:")) else [f"asks {url}"]


def test_programs_that_ask_for_json_get_the_document(client: Client) -> None:
    answer = client.get("/api/v1/schema/", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


def test_the_example_of_an_order_is_one_that_the_demo_takes(client: Client) -> None:
    put_on_shelf(sku="FOX-PRIDE")
    body = read_document(client)["paths"]["/api/v1/orders/"]["post"]["requestBody"]["content"]
    [example] = body["application/json"]["examples"].values()

    answer = client.post("/api/v1/orders/", example["value"], content_type="application/json")
    assert answer.status_code == 202
