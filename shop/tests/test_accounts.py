"""Signing up, signing in, and what an account may do, through its pages."""

from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from shop.tests.people import PASSWORD, is_signed_in, mailed_code, sign_in, sign_up
from shop.tests.shelf import put_on_shelf

pytestmark = pytest.mark.django_db

ADA = "ada@example.org"


@pytest.fixture
def ada() -> Client:
    """A browser in which Ada has just opened her account."""
    return sign_up(email=ADA)


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


def told_in(answer: Any) -> str:
    """Return the summary of a page's errors."""
    summary: str = text(answer).partition('id="error-summary"')[2].partition("</div>")[0]
    return summary


def test_an_account_opens_with_the_code_from_the_mail(client: Client) -> None:
    answer = client.post("/account/signup/", {"email": ADA, "password1": PASSWORD})
    assert answer["Location"] == "/account/confirm-email/"
    assert not is_signed_in(client)
    assert mail.outbox[-1].to == [ADA]
    client.post("/account/confirm-email/", {"code": mailed_code()})
    assert is_signed_in(client)


def test_a_wrong_code_opens_nothing(client: Client) -> None:
    client.post("/account/signup/", {"email": ADA, "password1": PASSWORD})
    answer = client.post("/account/confirm-email/", {"code": "wrong"})
    assert answer.status_code == 422
    assert "<title>Error: " in text(answer)
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("/account/login/", {}, "Enter your email address"),
        ("/account/login/", {"login": ADA, "password": "nonsense"}, "are not correct"),
        ("/account/signup/", {"email": "ada", "password1": PASSWORD}, "valid email address"),
        ("/account/signup/", {"email": ADA, "password1": "password"}, "too common"),
        ("/account/password/reset/", {"email": ""}, "Enter your email address"),
    ],
)
def test_a_refused_form_says_what_to_do(client: Client, path: str, fields: dict[str, str], told: str) -> None:
    answer = client.post(path, fields)
    assert answer.status_code == 422
    assert "<title>Error: " in text(answer)
    assert 'id="error-summary"' in text(answer)
    assert told in text(answer)


def test_a_visitor_cannot_learn_by_signing_up_who_has_an_account(ada: Client) -> None:
    cache.clear()  # one mail in ten seconds goes to an address
    known = Client().post("/account/signup/", {"email": ADA, "password1": PASSWORD})
    assert "have an account" in mail.outbox[-1].subject
    unknown = Client().post("/account/signup/", {"email": "new@example.org", "password1": PASSWORD})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_a_visitor_cannot_learn_by_a_forgotten_password_who_has_an_account(ada: Client) -> None:
    known = Client().post("/account/password/reset/", {"email": ADA})
    unknown = Client().post("/account/password/reset/", {"email": "new@example.org"})
    assert "no account" in mail.outbox[-1].subject
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_a_wrong_password_and_an_unknown_address_read_the_same(ada: Client) -> None:
    wrong = Client().post("/account/login/", {"login": ADA, "password": "nonsense-nonsense"})
    unknown = Client().post("/account/login/", {"login": "new@example.org", "password": "nonsense-nonsense"})
    assert told_in(wrong) == told_in(unknown) != ""


def test_guessing_at_a_password_is_stopped(ada: Client) -> None:
    guesser = Client()
    for _ in range(5):
        guesser.post("/account/login/", {"login": ADA, "password": "nonsense-nonsense"})
    answer = guesser.post("/account/login/", {"login": ADA, "password": PASSWORD})
    assert "Too many failed" in text(answer)
    assert not is_signed_in(guesser)


def test_a_forgotten_password_is_replaced_by_a_code(ada: Client, client: Client) -> None:
    client.post("/account/password/reset/", {"email": ADA})
    client.post("/account/password/reset/confirm/", {"code": mailed_code()})
    client.post("/account/password/reset/complete/", {"password1": "another-lantern-orchid"})
    assert is_signed_in(client)
    assert is_signed_in(sign_in(email=ADA, password="another-lantern-orchid"))
    assert not is_signed_in(sign_in(email=ADA, password=PASSWORD))


def test_a_password_changes_with_the_one_before(ada: Client) -> None:
    refused = ada.post("/account/password/change/", {"oldpassword": "wrong", "password1": "another-lantern"})
    assert refused.status_code == 422
    ada.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": "another-lantern"})
    assert mail.outbox[-1].subject == "Your password was changed"
    assert is_signed_in(sign_in(email=ADA, password="another-lantern"))


def test_an_address_changes_with_the_code_sent_to_the_new_one(ada: Client) -> None:
    ada.post("/account/reauthenticate/", {"password": PASSWORD})
    ada.post("/account/email/", {"email": "lovelace@example.org", "action_add": ""})
    assert mail.outbox[-1].to == ["lovelace@example.org"]
    assert is_signed_in(sign_in(email=ADA))
    ada.post("/account/confirm-email/", {"code": mailed_code()})
    assert is_signed_in(sign_in(email="lovelace@example.org"))


def test_signing_out_asks_by_a_form(ada: Client) -> None:
    assert ada.get("/account/logout/").status_code == 200
    assert is_signed_in(ada)
    ada.post("/account/logout/")
    assert not is_signed_in(ada)


def test_what_a_guest_put_into_the_basket_comes_along(ada: Client, client: Client) -> None:
    put_on_shelf(sku="FOX-1", title="Middlemarch")
    put_on_shelf(sku="FOX-2", title="Emma")
    ada.post("/cart/add/", {"sku": "FOX-1", "quantity": 3})
    client.post("/cart/add/", {"sku": "FOX-1", "quantity": 1})
    client.post("/cart/add/", {"sku": "FOX-2", "quantity": 2})
    sign_in(email=ADA, client=client)
    basket = client.get("/cart/").context["cart"]
    assert {line.sku: line.quantity for line in basket.lines} == {"FOX-1": 3, "FOX-2": 2}


def test_an_account_finds_its_basket_in_another_browser(ada: Client) -> None:
    put_on_shelf(sku="FOX-1")
    ada.post("/cart/add/", {"sku": "FOX-1", "quantity": 3})
    ada.post("/account/logout/")
    elsewhere = sign_in(email=ADA)
    assert elsewhere.get("/cart/").context["cart"].count == 3


@pytest.mark.parametrize("path", ["/account/", "/account/orders/", "/account/addresses/"])
def test_pages_of_an_account_ask_a_stranger_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/account/login/?next={path}"


@pytest.mark.parametrize(
    "path",
    [
        "/account/",
        "/account/orders/",
        "/account/addresses/",
        "/account/email/",
        "/account/password/change/",
        "/account/logout/",
    ],
)
def test_every_page_of_a_new_account_stands(ada: Client, path: str) -> None:
    answer = ada.get(path)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/account/login/", "/account/signup/", "/account/password/reset/"])
def test_every_page_before_an_account_stands(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200
