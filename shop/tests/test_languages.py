"""Two languages: what the visitor chose, else what the browser asks for."""

import pytest
from django.test import Client

from shop.tests.shelf import put_on_shelf

pytestmark = pytest.mark.django_db


def test_a_browser_that_asks_for_german_reads_german_prices(client: Client) -> None:
    put_on_shelf(sku="FOX-1", price=1490)

    answer = client.get("/", headers={"Accept-Language": "de-AT, en;q=0.5"})

    assert 'lang="de"' in answer.content.decode()
    assert "14,90\u00a0€" in answer.content.decode()
    assert "Accept-Language" in answer["Vary"]


def test_a_choice_outlasts_the_page_and_leads_back_to_it(client: Client) -> None:
    answer = client.post("/language/", {"language": "de", "next": "/?sort=title"})

    assert answer["Location"] == "/?sort=title"
    assert '<html lang="de">' in client.get("/").content.decode()


def test_a_choice_leads_to_no_other_site(client: Client) -> None:
    answer = client.post("/language/", {"language": "de", "next": "https://elsewhere.example/"})

    assert answer["Location"] == "/"


def test_the_api_speaks_one_language(client: Client) -> None:
    answer = client.get("/api/v1/products/none/", headers={"Accept-Language": "de"})

    assert "Accept-Language" not in answer.get("Vary", "")
    assert "Content-Language" not in answer
