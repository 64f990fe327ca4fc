"""Reviews: who may write them, and when they are seen."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from shop.tests.past_orders import delivered_order, guest_order
from shop.tests.people import sign_up
from shop.tests.shelf import put_on_shelf

pytestmark = pytest.mark.django_db

ADA = "ada@example.org"
WORDS = {"stars": "4", "text": "Long, and not a page too long.", "signature": "Ada L."}


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


@pytest.fixture
def reader() -> Client:
    """A browser in which somebody is signed in who has received Middlemarch."""
    put_on_shelf(sku="FOX-1", title="Middlemarch")
    return reader_of_fox_1(email=ADA)


def reader_of_fox_1(*, email: str) -> Client:
    delivered_order(email=email)
    return sign_up(email=email)


def moderate(*, action: str) -> None:
    """Have staff decide about every review, in the back office."""
    staff = get_user_model().objects.create_superuser(f"staff-{action}")
    office = Client()
    office.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    listed = office.get("/admin/shop/review/").context["cl"].result_list
    office.post("/admin/shop/review/", {"action": action, "_selected_action": [one.pk for one in listed]})


def test_a_review_is_seen_once_staff_have_published_it(reader: Client, client: Client) -> None:
    assert reader.post("/products/fox-1/review/", WORDS).status_code == 303
    assert "not a page too long" not in text(client.get("/products/fox-1/"))
    moderate(action="publish")
    page = text(client.get("/products/fox-1/"))
    assert "not a page too long" in page
    assert "4.0 of 5 stars, 1 review" in page
    assert "4.0 of 5 stars, 1 review" in text(client.get("/"))


def test_a_refused_review_is_never_seen(reader: Client, client: Client) -> None:
    reader.post("/products/fox-1/review/", WORDS)
    moderate(action="refuse")
    assert "not a page too long" not in text(client.get("/products/fox-1/"))


def test_who_edits_a_review_waits_for_staff_again(reader: Client, client: Client) -> None:
    reader.post("/products/fox-1/review/", WORDS)
    moderate(action="publish")
    assert reader.get("/products/fox-1/review/").context["form"].initial["stars"] == 4
    reader.post("/products/fox-1/review/", {**WORDS, "text": "On second thoughts", "stars": "2"})
    page = text(client.get("/products/fox-1/"))
    assert "not a page too long" not in page
    assert "On second thoughts" not in page


def test_ratings_are_the_average_of_their_readers(reader: Client, client: Client) -> None:
    reader.post("/products/fox-1/review/", WORDS)
    reader_of_fox_1(email="eve@example.org").post("/products/fox-1/review/", {**WORDS, "stars": "5"})
    moderate(action="publish")
    assert "4.5 of 5 stars, 2 reviews" in text(client.get("/products/fox-1/"))


def test_who_has_not_received_the_book_cannot_review_it() -> None:
    put_on_shelf(sku="FOX-1")
    guest_order(email=ADA)
    ada = sign_up(email=ADA)
    assert "Write a review" not in text(ada.get("/products/fox-1/"))
    answer = ada.post("/products/fox-1/review/", WORDS)
    assert answer.status_code == 403
    assert "Read it first" in text(answer)


def test_a_guest_is_asked_to_sign_in(client: Client) -> None:
    put_on_shelf(sku="FOX-1")
    answer = client.post("/products/fox-1/review/", WORDS)
    assert answer["Location"] == "/account/login/?next=/products/fox-1/review/"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("stars", "", "Choose how many stars"),
        ("stars", "6", "Choose how many stars"),
        ("text", " ", "Write a few words"),
        ("signature", "", "Enter the name to show"),
    ],
)
def test_a_refused_review_says_what_to_do(reader: Client, field: str, value: str, told: str) -> None:
    answer = reader.post("/products/fox-1/review/", {**WORDS, field: value})
    assert answer.status_code == 422
    assert "<title>Error: " in text(answer)
    assert told in text(answer)


def test_the_error_about_the_stars_leads_to_the_first_of_them(reader: Client) -> None:
    page = text(reader.post("/products/fox-1/review/", {}))
    assert 'href="#id_stars_0"' in page
    assert 'id="id_stars_0"' in page


def test_markup_in_a_review_is_text(reader: Client, client: Client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    reader.post("/products/fox-1/review/", {**WORDS, "text": evil, "signature": evil})
    moderate(action="publish")
    page = text(client.get("/products/fox-1/"))
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x") == 2
