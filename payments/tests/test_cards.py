"""Cards become tokens; and how the gateway tells one trouble from another."""

import socket
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from payments.gateways import Charge, Declined, gateway
from payments.models import PaymentMethod
from payments.selectors import payment_method_exists
from payments.services import CardRefused, PaymentsUnavailable, tokenize_card
from workers import DependencyDown, PermanentError, TransientError

pytestmark = pytest.mark.django_db


def card(number: str = "4242 4242 4242 4242", **changes: Any) -> dict[str, Any]:
    return {"number": number, "expiry_month": 12, "expiry_year": 2099, "cvc": "123"} | changes


def charge(payment_method: str = "pm_card_visa", **changes: Any) -> Charge:
    request: dict[str, Any] = {
        "attempt_id": uuid7(),
        "order_id": uuid7(),
        "order_number": "WB-TEST",
        "amount": 100,
        "currency": "EUR",
        "payment_method": payment_method,
        "return_url": "http://shop.example/back/",
    }
    return Charge(**{**request, **changes})


@pytest.fixture
def nobody_listens(bank, settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.BANK_URL = f"http://127.0.0.1:{free.getsockname()[1]}"
        yield


def test_a_demo_card_becomes_a_token_of_which_only_brand_and_last_four_digits_are_kept(bank):
    made = tokenize_card(**card())
    assert (made.brand, made.last4) == ("visa", "4242")
    assert PaymentMethod.objects.values("token", "brand", "last4").get() == {
        "token": made.id,
        "brand": "visa",
        "last4": "4242",
    }


@pytest.mark.parametrize(
    ("details", "code"),
    [
        (card("4111 1111 1111 1111"), "unknown_card"),
        (card(expiry_year=2001), "invalid_expiry"),
        (card(cvc="1"), "invalid_cvc"),
    ],
)
def test_any_other_card_is_refused_with_a_code_and_a_sentence(bank, details, code):
    with pytest.raises(CardRefused, match=r"\.$") as refusal:
        tokenize_card(**details)
    assert refusal.value.code == code


@pytest.mark.parametrize("trouble", [{"outage": True}, {"silent": True}])
def test_a_bank_in_trouble_makes_no_token_and_says_so(bank, impatient, trouble):
    bank.misbehave(**trouble)
    with pytest.raises(PaymentsUnavailable):
        tokenize_card(**card())


def test_a_bank_that_is_gone_makes_no_token_and_says_so(nobody_listens):
    with pytest.raises(PaymentsUnavailable):
        tokenize_card(**card())


def test_ready_made_methods_and_own_tokens_exist_and_others_do_not(bank):
    assert payment_method_exists(token="pm_card_visa")
    assert payment_method_exists(token=tokenize_card(**card()).id)
    assert not payment_method_exists(token="pm_made_up")


def test_every_ready_made_method_is_one_the_bank_knows(bank):
    answers = {
        token: bank.client.get(f"/payment_methods/{token}").status_code for token in gateway().ready_made
    }
    assert set(answers.values()) == {200}
    assert len(answers) == 10


def test_a_bank_that_is_gone_is_a_dependency_that_is_down(nobody_listens):
    with pytest.raises(DependencyDown):
        gateway().charge(charge())


def test_a_bank_that_is_closed_is_a_dependency_that_is_down(bank):
    bank.misbehave(outage=True)
    with pytest.raises(DependencyDown):
        gateway().charge(charge())


@pytest.mark.parametrize("payment_method", ["pm_card_gateway_down", "pm_card_processing_error"])
def test_a_server_error_about_one_charge_is_worth_another_try(bank, payment_method):
    with pytest.raises(TransientError):
        gateway().charge(charge(payment_method))


def test_a_call_the_bank_does_not_understand_is_not_tried_again(bank):
    with pytest.raises(PermanentError, match="invalid_request"):
        gateway().charge(charge(currency="euros"))


def test_a_payment_method_the_bank_does_not_know_is_a_decline(bank):
    assert isinstance(gateway().charge(charge("pm_made_up")), Declined)


def test_an_attempt_the_bank_never_heard_of_is_not_found(bank):
    assert gateway().find_charge(attempt_id=uuid7()) is None
