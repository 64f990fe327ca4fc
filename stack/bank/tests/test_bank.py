"""The demo bank, through its own door: a process of its own, spoken to over HTTP."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from stack.bank.cards import CARDS

RETURN_URL = "http://shop.example/payments/return/1/"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(*, port: int, ledger: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "stack.bank", "--port", str(port), "--ledger", str(ledger)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def running_bank(*, ledger: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    port = free_port()
    process = start(port=port, ledger=ledger)
    try:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("The demo bank listens"), process.stderr.read()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            yield client, process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running_bank(ledger=tmp_path_factory.mktemp("bank") / "ledger.sqlite") as (client, _):
        yield client


@pytest.fixture
def disturb(bank: httpx.Client) -> Iterator[Callable[..., object]]:
    yield lambda **faults: bank.post("/control", json=faults).raise_for_status()
    bank.post("/control", json={"latency_ms": 0, "outage": False, "silent": False}).raise_for_status()


def order(**changes: object) -> dict[str, object]:
    return {
        "amount": 2480,
        "currency": "EUR",
        "payment_method": "pm_card_visa",
        "reference": f"WB-{uuid4()}",
        "return_url": RETURN_URL,
    } | changes


def charge(bank: httpx.Client, request: dict[str, Any], *, key: str = "", **options: Any) -> httpx.Response:
    return bank.post("/charges", json=request, headers={"Idempotency-Key": key or str(uuid4())}, **options)


def refund(bank: httpx.Client, charge_id: str, amount: int, *, key: str = "") -> httpx.Response:
    body = {"charge": charge_id, "amount": amount}
    return bank.post("/refunds", json=body, headers={"Idempotency-Key": key or str(uuid4())})


def charges_of(bank: httpx.Client, reference: Any) -> list[dict[str, Any]]:
    charges: list[dict[str, Any]] = bank.get("/charges", params={"reference": reference}).json()
    return charges


def error_code(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


def card(number: str, **changes: object) -> dict[str, object]:
    return {"number": number, "expiry_month": 12, "expiry_year": 2099, "cvc": "123"} | changes


@pytest.mark.parametrize("demo", CARDS, ids=lambda demo: demo.token)
def test_every_demo_card_becomes_a_token_that_keeps_its_brand_and_last_four_digits(bank, demo):
    made = bank.post("/payment_methods", json=card(demo.number))
    assert made.status_code == 201
    assert bank.get(f"/payment_methods/{made.json()['id']}").json() == made.json()
    assert (made.json()["brand"], made.json()["last4"]) == ("visa", demo.number[-4:])


def test_a_number_may_be_typed_in_groups(bank):
    assert bank.post("/payment_methods", json=card("4242 4242 4242 4242")).status_code == 201


@pytest.mark.parametrize(
    ("details", "code"),
    [
        (card("4111111111111111"), "unknown_card"),
        (card("4242424242424242", expiry_year=2020), "invalid_expiry"),
        (card("4242424242424242", expiry_month=13), "invalid_expiry"),
        (card("4242424242424242", cvc="12"), "invalid_cvc"),
        ({"number": "4242424242424242"}, "invalid_request"),
    ],
)
def test_anything_but_a_valid_demo_card_is_refused(bank, details, code):
    answer = bank.post("/payment_methods", json=details)
    assert (answer.status_code, error_code(answer)) == (422, code)


def test_an_approved_charge_stands_in_the_ledger_under_its_reference(bank):
    request = order()
    made = charge(bank, request, key="approved").json()
    [listed] = charges_of(bank, request["reference"])
    assert listed == made
    assert (made["status"], made["amount"], made["currency"]) == ("captured", 2480, "EUR")
    assert made["idempotency_key"] == "approved"


@pytest.mark.parametrize(
    ("payment_method", "code"),
    [
        ("pm_card_declined", "card_declined"),
        ("pm_card_insufficient_funds", "insufficient_funds"),
        ("pm_card_expired", "expired_card"),
        ("pm_card_incorrect_cvc", "incorrect_cvc"),
    ],
)
def test_a_declined_charge_says_why_and_stands_in_the_ledger(bank, payment_method, code):
    request = order(payment_method=payment_method)
    made = charge(bank, request).json()
    assert (made["status"], made["decline_code"]) == ("declined", code)
    assert [entry["status"] for entry in charges_of(bank, request["reference"])] == ["declined"]


def test_the_same_key_gives_the_same_charge(bank):
    request = order()
    assert charge(bank, request, key="again").json() == charge(bank, request, key="again").json()
    assert len(charges_of(bank, request["reference"])) == 1


def test_the_same_key_with_another_body_is_refused(bank):
    request = order()
    charge(bank, request, key="reused")
    answer = charge(bank, request | {"amount": 1}, key="reused")
    assert (answer.status_code, error_code(answer)) == (422, "idempotency_key_reused")


def test_twenty_identical_charges_at_once_are_one_charge(bank):
    request = order()
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: charge(bank, request, key="at-once").json(), range(20)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len(charges_of(bank, request["reference"])) == 1


def test_a_charge_without_a_key_is_refused(bank):
    answer = bank.post("/charges", json=order())
    assert (answer.status_code, error_code(answer)) == (400, "idempotency_key_missing")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 0}, "invalid_request"),
        ({"currency": "euro"}, "invalid_request"),
        ({"return_url": "javascript:alert(1)"}, "invalid_request"),
        ({"return_url": "http://shop.example/\r\nSet-Cookie: a=b"}, "invalid_request"),
        ({"payment_method": "pm_unheard_of"}, "unknown_payment_method"),
    ],
)
def test_a_charge_that_makes_no_sense_is_refused_and_leaves_no_trace(bank, changes, code):
    request = order(**changes)
    answer = charge(bank, request)
    assert (answer.status_code, error_code(answer)) == (422, code)
    assert charges_of(bank, request["reference"]) == []


def test_a_processing_error_is_gone_when_the_same_key_is_tried_again(bank):
    request = order(payment_method="pm_card_processing_error")
    first = charge(bank, request, key="stumble")
    assert (first.status_code, error_code(first)) == (500, "processing_error")
    assert charges_of(bank, request["reference"]) == []
    assert charge(bank, request, key="stumble").json()["status"] == "captured"


def test_the_card_whose_gateway_is_down_never_goes_through(bank):
    request = order(payment_method="pm_card_gateway_down")
    assert {charge(bank, request, key="down").status_code for _ in range(3)} == {503}
    assert charges_of(bank, request["reference"]) == []


def test_the_silent_card_is_charged_once_and_never_answered_while_others_are_served(bank):
    request = order(payment_method="pm_card_timeout")
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            charge(bank, request, key="silent", timeout=0.3)
    [found] = bank.get("/charges", params={"idempotency_key": "silent"}).json()
    assert found["status"] == "captured"


def test_a_token_of_the_silent_card_is_silent_too(bank):
    token = bank.post("/payment_methods", json=card("4000000000408007")).json()["id"]
    with pytest.raises(httpx.ReadTimeout):
        charge(bank, order(payment_method=token), timeout=0.3)


@pytest.mark.parametrize(
    ("payment_method", "answer", "status", "code"),
    [
        ("pm_card_authentication_required", "approved", "captured", None),
        ("pm_card_authentication_required", "failed", "declined", "authentication_failed"),
        ("pm_card_authentication_required", "cancelled", "declined", "authentication_cancelled"),
        ("pm_card_authentication_then_declined", "approved", "declined", "card_declined"),
        ("pm_card_authentication_then_declined", "cancelled", "declined", "authentication_cancelled"),
    ],
)
def test_what_the_card_holder_answers_decides_the_charge(bank, payment_method, answer, status, code):
    made = charge(bank, order(payment_method=payment_method)).json()
    back = bank.post(made["action_url"], data={"result": answer})
    assert (back.status_code, back.headers["location"]) == (303, RETURN_URL)
    settled = bank.post(f"/charges/{made['id']}/confirm").json()
    assert (settled["status"], settled["decline_code"], settled["action_url"]) == (status, code, None)


def test_a_charge_is_not_settled_before_the_card_holder_has_answered(bank):
    made = charge(bank, order(payment_method="pm_card_authentication_required")).json()
    assert bank.post(f"/charges/{made['id']}/confirm").json()["status"] == "requires_action"


def test_the_first_answer_on_the_bank_s_page_stands(bank):
    made = charge(bank, order(payment_method="pm_card_authentication_required")).json()
    bank.post(made["action_url"], data={"result": "failed"})
    bank.post(made["action_url"], data={"result": "approved"})
    assert bank.post(f"/charges/{made['id']}/confirm").json()["decline_code"] == "authentication_failed"


def test_the_bank_s_page_asks_under_a_strict_policy_and_escapes_what_the_merchant_sent(bank):
    request = order(
        payment_method="pm_card_authentication_required", reference="<img src=x onerror=alert(1)>"
    )
    page = bank.get(charge(bank, request).json()["action_url"])
    assert "<img" not in page.text
    assert "24.80 EUR" in page.text
    assert page.text.count("<button") == 3
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://shop.example" in policy
    assert "unsafe" not in policy


def test_the_bank_s_page_offers_only_the_way_back_once_it_is_answered(bank):
    made = charge(bank, order(payment_method="pm_card_authentication_required")).json()
    bank.post(made["action_url"], data={"result": "approved"})
    page = bank.get(made["action_url"]).text
    assert "<button" not in page
    assert RETURN_URL in page


def test_a_refund_happens_once_for_a_key_and_never_exceeds_the_charge(bank):
    made = charge(bank, order(amount=1000)).json()
    first = refund(bank, made["id"], 600, key="refund-600")
    assert first.status_code == 201
    assert refund(bank, made["id"], 600, key="refund-600").json() == first.json()
    assert error_code(refund(bank, made["id"], 401)) == "amount_too_large"
    assert refund(bank, made["id"], 400).status_code == 201
    listed = bank.get("/refunds", params={"charge": made["id"]}).json()
    assert [entry["amount"] for entry in listed] == [600, 400]
    assert bank.get(f"/charges/{made['id']}").json()["refunded"] == 1000


def test_a_declined_charge_cannot_be_refunded(bank):
    made = charge(bank, order(payment_method="pm_card_declined")).json()
    assert error_code(refund(bank, made["id"], 1)) == "charge_not_captured"


def test_an_outage_closes_every_call_until_it_is_lifted(bank, disturb):
    disturb(outage=True)
    answer = charge(bank, order())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    disturb(outage=False)
    assert charge(bank, order()).json()["status"] == "captured"


def test_a_silent_bank_does_the_work_and_loses_the_answer(bank, disturb):
    request = order()
    disturb(silent=True)
    with pytest.raises(httpx.ReadTimeout):
        charge(bank, request, timeout=0.3)
    disturb(silent=False)
    assert [entry["status"] for entry in charges_of(bank, request["reference"])] == ["captured"]


def test_latency_is_added_to_every_answer(bank, disturb):
    disturb(latency_ms=300)
    started_at = time.monotonic()
    charge(bank, order())
    assert time.monotonic() - started_at >= 0.3


def test_a_filter_nobody_knows_is_refused_rather_than_ignored(bank):
    assert error_code(bank.get("/charges", params={"refernce": "WB-1"})) == "unknown_filter"


def test_the_ledger_survives_kill_9(tmp_path):
    ledger = tmp_path / "ledger.sqlite"
    request = order()
    with running_bank(ledger=ledger) as (client, process):
        made = charge(client, request, key="before").json()
        process.kill()
    with running_bank(ledger=ledger) as (client, _):
        assert charge(client, request, key="before").json() == made
        assert charges_of(client, request["reference"]) == [made]


def test_the_bank_stops_at_once_on_sigterm_though_a_client_is_kept_waiting(tmp_path):
    with running_bank(ledger=tmp_path / "ledger.sqlite") as (client, process):
        with pytest.raises(httpx.ReadTimeout):
            charge(client, order(payment_method="pm_card_timeout"), timeout=0.2)
        process.terminate()
        assert process.wait(timeout=5) == 0


def test_a_second_bank_over_the_same_ledger_is_refused_in_one_line(tmp_path):
    ledger = tmp_path / "ledger.sqlite"
    with running_bank(ledger=ledger):
        second = start(port=free_port(), ledger=ledger)
        _, message = second.communicate(timeout=10)
    assert second.returncode == 1
    assert message.count("\n") == 1
    assert "Stop the other bank" in message


def test_a_port_that_is_taken_is_refused_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = start(port=taken.getsockname()[1], ledger=tmp_path / "ledger.sqlite")
        _, message = second.communicate(timeout=10)
    assert second.returncode == 1
    assert "Choose another --port" in message
    assert message.count("\n") == 1
