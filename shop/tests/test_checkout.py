"""A guest buys, on the real bank: what the forms ask, refuse and keep."""

import re
from typing import Any

import pytest
from django.test import Client

from events.orders import OrderPlaced
from shop.models import Coupon
from shop.services import load_demo_coupons
from shop.tests.shelf import change_price, put_on_shelf, sell_elsewhere
from workers.testing import published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bank_server")]

ADDRESS = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "line2": "",
    "postal_code": "SW1Y 4LE",
    "city": "London",
    "country": "GB",
}
CARD = {"number": "4242 4242 4242 4242", "expiry": "08 / 99", "cvc": "123"}


@pytest.fixture
def buyer(client: Client) -> Client:
    """A visitor with one book at 14.90 in the basket."""
    put_on_shelf(sku="FOX-1", title="Middlemarch", price=1490, stock=5)
    client.post("/cart/add/", {"sku": "FOX-1", "quantity": 2})
    return client


@pytest.fixture
def ready(buyer: Client) -> Client:
    """A buyer who has only the review before them."""
    buyer.post("/checkout/", ADDRESS)
    buyer.post("/checkout/payment/", CARD)
    return buyer


def fill_in_review(client: Client) -> dict[str, str]:
    """Return what the review page's form would send."""
    page = client.get("/checkout/review/").content.decode()
    return dict(re.findall(r'name="(idempotency_key|agreed)" value="([^"]*)"', page))


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


@pytest.mark.parametrize("step", ["/checkout/", "/checkout/payment/", "/checkout/review/"])
def test_without_a_book_every_step_leads_back_to_the_basket(client: Client, step: str) -> None:
    assert client.get(step)["Location"] == "/cart/"


def test_no_step_can_be_skipped(buyer: Client) -> None:
    before_address = buyer.get("/checkout/payment/")["Location"]
    buyer.post("/checkout/", ADDRESS)
    before_card = buyer.get("/checkout/review/")["Location"]

    assert (before_address, before_card) == ("/checkout/", "/checkout/payment/")


def test_a_form_with_mistakes_is_422_says_error_first_and_links_to_each_field(buyer: Client) -> None:
    answer = buyer.post("/checkout/", {**ADDRESS, "email": "ada@", "city": ""})

    assert answer.status_code == 422
    assert "<title>Error: " in text(answer)
    assert '<a href="#id_email">Enter an email address like name@example.com</a>' in text(answer)
    assert '<a href="#id_city">Enter the town or city</a>' in text(answer)


def test_a_form_with_mistakes_keeps_what_was_entered(buyer: Client) -> None:
    answer = buyer.post("/checkout/", {**ADDRESS, "email": "ada@", "line2": "Flat 3"})

    assert 'value="ada@"' in text(answer)
    assert 'value="Ada Lovelace"' in text(answer)
    assert 'value="Flat 3"' in text(answer)
    assert '<option value="GB" selected>' in text(answer)


def test_the_address_is_kept_for_whoever_comes_back_to_it(buyer: Client) -> None:
    buyer.post("/checkout/", ADDRESS)

    assert 'value="Ada Lovelace"' in text(buyer.get("/checkout/"))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ({"number": ""}, "Enter the card number"),
        ({"number": "4242"}, "Enter the 12 to 19 digits of the card number"),
        ({"expiry": "13/99"}, "Enter the expiry date as month and year"),
        ({"expiry": "01/20"}, "This card has expired"),
        ({"cvc": "12"}, "Enter the three or four digits"),
    ],
)
def test_a_mistake_in_the_card_is_named(buyer: Client, mistake: dict[str, str], message: str) -> None:
    buyer.post("/checkout/", ADDRESS)

    answer = buyer.post("/checkout/payment/", {**CARD, **mistake})

    assert answer.status_code == 422
    assert message in text(answer)


def test_a_number_that_is_no_demo_card_is_refused(buyer: Client) -> None:
    buyer.post("/checkout/", ADDRESS)

    answer = buyer.post("/checkout/payment/", {**CARD, "number": "5555 5555 5555 4444"})

    assert answer.status_code == 422
    assert '<a href="#id_number">' in text(answer)


def test_number_and_security_code_are_never_sent_back_nor_kept(buyer: Client) -> None:
    buyer.post("/checkout/", ADDRESS)

    refused = buyer.post("/checkout/payment/", {**CARD, "expiry": "nonsense", "cvc": "987"})
    buyer.post("/checkout/payment/", {**CARD, "cvc": "987"})
    review = buyer.get("/checkout/review/")

    everything = text(refused) + text(review) + repr(dict(buyer.session))
    assert "4242424242424242" not in everything.replace(" ", "").replace("4242424242424242</th>", "")
    assert "987" not in everything
    assert "Visa ending in" in text(review)


def test_the_review_shows_the_total_before_anything_is_ordered(ready: Client) -> None:
    page = text(ready.get("/checkout/review/"))

    assert "Order and pay €39.70" in page
    assert "Ada Lovelace" in page
    assert "United Kingdom" in page


def test_placing_the_order_leads_to_its_page_and_empties_the_basket(ready: Client) -> None:
    answer = ready.post("/checkout/review/", fill_in_review(ready))

    assert answer.status_code == 303
    assert re.fullmatch(r"/orders/[\w-]{22,}/", answer["Location"])
    assert "Nothing in it yet" in text(ready.get("/cart/"))


def test_sending_the_review_twice_gives_the_same_one_order(ready: Client) -> None:
    form = fill_in_review(ready)

    first = ready.post("/checkout/review/", form)
    again = ready.post("/checkout/review/", form)

    assert again["Location"] == first["Location"]


def test_a_second_tab_orders_nothing_more(ready: Client) -> None:
    one_tab, other_tab = fill_in_review(ready), fill_in_review(ready)

    first = ready.post("/checkout/review/", one_tab)
    second = ready.post("/checkout/review/", other_tab)

    assert second["Location"] == first["Location"]


def test_the_next_basket_becomes_another_order(ready: Client) -> None:
    first = ready.post("/checkout/review/", fill_in_review(ready))
    ready.post("/cart/add/", {"sku": "FOX-1", "quantity": 1})
    ready.post("/checkout/", ADDRESS)
    ready.post("/checkout/payment/", CARD)

    second = ready.post("/checkout/review/", fill_in_review(ready))

    assert second.status_code == 303
    assert second["Location"] != first["Location"]


def test_what_changed_while_the_review_stood_open_is_told_and_nothing_is_ordered(ready: Client) -> None:
    form = fill_in_review(ready)
    change_price(sku="FOX-1", price=1600)
    sell_elsewhere(sku="FOX-1", quantity=4)

    answer = ready.post("/checkout/review/", form)

    assert answer.status_code == 422
    assert "2 things changed" in text(answer)
    assert "€14.90 → €16.00" in text(answer)
    assert "2 → 1" in text(answer)


def test_agreeing_to_what_changed_places_the_order(ready: Client) -> None:
    form = fill_in_review(ready)
    change_price(sku="FOX-1", price=1600)
    ready.post("/checkout/review/", form)

    answer = ready.post("/checkout/review/", fill_in_review(ready))

    assert answer.status_code == 303


def test_a_book_taken_out_in_another_tab_is_not_ordered(ready: Client) -> None:
    put_on_shelf(sku="FOX-2", title="Emma")
    ready.post("/cart/add/", {"sku": "FOX-2", "quantity": 1})
    form = fill_in_review(ready)

    ready.post("/cart/FOX-2/remove/")
    answer = ready.post("/checkout/review/", form)

    assert answer.status_code == 422
    assert "Please look at your order once more" in text(answer)


@pytest.mark.parametrize("agreed", ["", "FOX-1", "FOX-1:2:1", "FOX-1:x:y", "FOX-1:99:1490"])
def test_a_form_made_by_hand_cannot_set_its_own_price_or_quantity(ready: Client, agreed: str) -> None:
    form = {**fill_in_review(ready), "agreed": agreed}

    assert ready.post("/checkout/review/", form).status_code == 422


def test_a_key_of_somebody_else_orders_nothing(ready: Client) -> None:
    form = {**fill_in_review(ready), "idempotency_key": "a-key-that-this-browser-never-got"}

    assert ready.post("/checkout/review/", form).status_code == 422


def test_a_form_without_its_token_is_refused_as_forgery() -> None:
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post("/cart/add/", {"sku": "FOX-1", "quantity": 1})

    assert answer.status_code == 403
    assert "Please send that once more" in text(answer)


def test_the_way_of_delivery_is_chosen_at_the_review_and_changes_the_total(ready: Client) -> None:
    ready.post("/checkout/shipping/", {"shipping_method": "express"})

    page = text(ready.get("/checkout/review/"))
    assert "Order and pay €54.70" in page

    ready.post("/checkout/review/", fill_in_review(ready))
    [order] = published(OrderPlaced)
    assert (order.charges.shipping_method, order.charges.shipping, order.total) == ("express", 2490, 5470)


def test_a_total_that_was_not_shown_is_not_charged(ready: Client) -> None:
    agreed = fill_in_review(ready)
    ready.post("/checkout/shipping/", {"shipping_method": "express"})

    answer = ready.post("/checkout/review/", agreed)

    assert answer.status_code == 422
    assert "Please look at your order once more" in text(answer)
    assert not published(OrderPlaced)


def test_what_stands_on_the_review_is_what_is_ordered(ready: Client) -> None:
    load_demo_coupons()
    chosen = {"shipping_method": "express", "code": "foxglove10"}

    answer = ready.post("/checkout/review/", {**fill_in_review(ready), **chosen}, follow=True)
    page = text(answer)
    assert not published(OrderPlaced), "nobody has seen this total"
    assert "Look at the total again" in page
    assert re.search(r'value="express" checked', page)
    assert 'value="FOXGLOVE10"' in page

    ready.post("/checkout/review/", {**fill_in_review(ready), **chosen})
    [order] = published(OrderPlaced)
    assert (order.charges.shipping_method, order.charges.coupon) == ("express", "FOXGLOVE10")


def test_a_code_that_is_refused_with_the_order_orders_nothing(ready: Client) -> None:
    answer = ready.post("/checkout/review/", {**fill_in_review(ready), "code": "nosuch"})
    assert answer.status_code == 422
    assert not published(OrderPlaced)


def test_using_a_code_keeps_the_way_of_delivery_that_stands_beside_it(ready: Client) -> None:
    load_demo_coupons()
    ready.post("/checkout/coupon/", {"shipping_method": "express", "code": "foxglove10"})
    assert re.search(r'value="express" checked', text(ready.get("/checkout/review/")))


def test_a_coupon_is_entered_at_the_review_and_taken_off(ready: Client) -> None:
    load_demo_coupons()
    assert ready.post("/checkout/coupon/", {"code": " foxglove10 "}).status_code == 303
    assert "Order and pay €36.72" in text(ready.get("/checkout/review/"))

    ready.post("/checkout/review/", fill_in_review(ready))

    [order] = published(OrderPlaced)
    assert (order.charges.coupon, order.charges.discount, order.total) == ("FOXGLOVE10", 298, 3672)


def test_a_code_that_does_not_hold_is_said_beside_its_field(ready: Client) -> None:
    answer = ready.post("/checkout/coupon/", {"code": "nosuch"})

    assert answer.status_code == 422
    assert '<a href="#id_code">We do not know this code.</a>' in text(answer)
    assert '<form method="post" action="/checkout/review/" id="order" novalidate data-once>' in text(
        answer
    ), "one can still order"


def test_who_guesses_at_codes_is_asked_to_wait(ready: Client, settings: Any) -> None:
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {**rates, "coupon": "2/h"},
    }
    answers = [ready.post("/checkout/coupon/", {"code": f"guess-{n}"}) for n in range(3)]

    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert "Retry-After" in answers[-1].headers
    assert "That was often." in text(answers[-1])
    assert ready.get("/checkout/coupon/").status_code == 303


def test_a_coupon_used_up_meanwhile_is_told_before_anything_is_charged(ready: Client) -> None:
    load_demo_coupons()
    ready.post("/checkout/coupon/", {"code": "LASTONE"})
    agreed = fill_in_review(ready)
    Coupon.objects.filter(code="LASTONE").update(uses=1)

    answer = ready.post("/checkout/review/", agreed)

    assert answer.status_code == 422
    assert "This code has been used up." in text(answer)
    assert not published(OrderPlaced)
