"""What a visitor is told when a page breaks."""

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from shop.views.errors import server_error

pytestmark = pytest.mark.django_db


def answer_to(error: Exception) -> tuple[int, str, str]:
    try:
        raise error
    except Exception:  # noqa: BLE001
        answer = server_error(RequestFactory().get("/"))
    return answer.status_code, answer.get("Retry-After", ""), answer.content.decode()


def test_a_mistake_of_ours_is_told_without_its_details() -> None:
    status, _, page = answer_to(ValueError("<img src=x onerror=alert(1)> secret"))

    assert status == 500
    assert "Something broke on our side." in page
    assert "secret" not in page


def test_a_database_that_is_away_is_worth_waiting_for() -> None:
    status, retry_after, page = answer_to(OperationalError("connection refused"))

    assert (status, retry_after) == (503, "30")
    assert "We are back in a moment." in page


def test_a_page_that_breaks_is_answered_in_the_shops_own_words(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.views.catalogue.list_facets", lambda: 1 / 0)
    client.raise_request_exception = False

    answer = client.get("/", headers={"Accept-Language": "de"})

    assert answer.status_code == 500
    assert '<html lang="de">' in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_kindly() -> None:
    answer = Client(enforce_csrf_checks=True).post("/cart/add/", {"sku": "FOX-1"})

    assert answer.status_code == 403
    assert "Please send that once more." in answer.content.decode()
