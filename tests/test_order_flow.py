"""One order, the whole way: every card has its outcome, and nobody pays or gets more than once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.running_shop import RunningShop
from tests.waiting import eventually


def _types(order: dict[str, object]) -> list[str]:
    timeline = order["timeline"]
    assert isinstance(timeline, list)
    return [entry["type"] for entry in timeline]


def test_an_order_that_nothing_disturbs_is_completed(shop: RunningShop) -> None:
    email = f"{uuid4()}@example.org"
    order = shop.wait_for(shop.placed(email=email), "completed")

    assert _types(order) == ["placed", "reserved", "confirmed", "shipped", "completed"]
    assert [entry["sequence"] for entry in order["timeline"]] == [1, 2, 3, 4, 5]
    assert order["sequence"] == 5
    assert order["payment"]["last4"] == "4242"
    assert order["shipment"]["tracking_number"].startswith("FX")
    [charge] = shop.charges(order["number"])
    assert (charge["status"], charge["amount"]) == ("captured", order["total"]["amount"])
    eventually(lambda: len(shop.mails(email)) == 4, what="placed, confirmed, dispatched, delivered by mail")


@pytest.mark.parametrize(
    "payment_method",
    ["pm_card_declined", "pm_card_insufficient_funds", "pm_card_expired", "pm_card_incorrect_cvc"],
)
def test_a_declined_card_can_be_replaced_while_the_books_are_held(
    shop: RunningShop, payment_method: str
) -> None:
    token = shop.placed(payment_method=payment_method)
    shop.wait_for(token, "payment_declined")

    answer = shop.post(f"/orders/{token}/pay/", {"payment_method": "pm_card_visa"})

    assert answer.status_code == 202
    order = shop.wait_for(token, "completed")
    assert sorted(charge["status"] for charge in shop.charges(order["number"])) == ["captured", "declined"]


def test_a_processing_error_is_tried_again_with_the_same_key(shop: RunningShop) -> None:
    order = shop.wait_for(shop.placed(payment_method="pm_card_processing_error"), "completed")
    assert [charge["status"] for charge in shop.charges(order["number"])] == ["captured"]


def test_a_bank_that_takes_the_money_and_never_answers_is_asked_until_it_is_known(shop: RunningShop) -> None:
    order = shop.wait_for(shop.placed(payment_method="pm_card_timeout"), "completed")
    assert [charge["status"] for charge in shop.charges(order["number"])] == ["captured"]


def test_a_card_that_must_be_approved_waits_for_the_buyer(shop: RunningShop) -> None:
    order = shop.wait_for(shop.placed(payment_method="pm_card_authentication_required"), "action_required")
    assert _types(order)[-1] == "action_required"


def test_a_gateway_that_stays_down_ends_in_the_dead_letters_and_holds_only_its_order(
    shop: RunningShop,
) -> None:
    token = shop.placed(payment_method="pm_card_gateway_down")
    other = shop.placed()
    shop.wait_for(other, "completed")

    def dead() -> bool:
        letters = shop.query(
            "SELECT 1 FROM workers_deadletter d JOIN orders_order o ON d.key = convert_to(o.id::text, 'UTF8')"
            " WHERE o.token = %s AND d.consumer = 'payments'",
            [token],
        )
        return len(letters) == 1

    eventually(dead, what="one dead letter of payments")
    assert shop.order(token)["status"] == "reserved"


def test_five_identical_requests_at_once_give_one_order_one_charge_one_mail_of_each_kind(
    shop: RunningShop,
) -> None:
    since, key, email = shop.now(), str(uuid4()), f"{uuid4()}@example.org"
    lines = [{"sku": shop.some_sku(), "quantity": 2}]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: shop.place(key=key, email=email, lines=lines), range(5)))

    accepted = [answer.json() for answer in answers if answer.status_code == 202]
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer["token"] for answer in accepted}) == 1
    again = shop.place(key=key, email=email, lines=lines)
    assert (again.status_code, again.json()) == (202, accepted[0])

    findings = shop.require_invariants(since=since, accepted=[accepted[0]["token"]])
    assert (findings.tally.captured_at_bank, findings.tally.mails) == (1, 4)


def test_a_hundred_buyers_for_the_last_ten_pieces(shop: RunningShop) -> None:
    since, lines = shop.now(), [{"sku": "FOX-LAST10", "quantity": 1}]
    with ThreadPoolExecutor(10) as pool:
        tokens = list(pool.map(lambda _: shop.placed(lines=lines), range(100)))

    tally = shop.require_invariants(since=since, accepted=tokens).tally

    assert (tally.completed, tally.rejected) == (10, 90)
    ended = [shop.order(token) for token in tokens]
    assert {order["reason"] for order in ended if order["status"] == "rejected"} == {"out_of_stock"}
    assert shop.query("SELECT available FROM inventory_stockitem WHERE sku = 'FOX-LAST10'") == [(0,)]
    assert shop.get(f"/products/{shop.slug_of('FOX-LAST10')}/").json()["stock"] == "sold_out"


def test_a_sold_out_book_is_refused_and_nothing_is_charged(shop: RunningShop) -> None:
    order = shop.wait_for(shop.placed(lines=[{"sku": "FOX-SOLDOUT", "quantity": 1}]), "rejected")
    assert order["reason"] == "out_of_stock"
    assert shop.charges(order["number"]) == []


def test_an_order_that_is_cancelled_in_time_gives_back_stock_and_money(shop: RunningShop) -> None:
    sku = shop.some_sku()
    token = shop.placed(lines=[{"sku": sku, "quantity": 3}], payment_method="pm_card_authentication_required")
    shop.wait_for(token, "action_required")
    held = shop.query("SELECT available FROM inventory_stockitem WHERE sku = %s", [sku])[0][0]

    assert shop.post(f"/orders/{token}/cancel/").status_code == 202

    shop.wait_for(token, "cancelled")
    eventually(
        lambda: (
            shop.query("SELECT available FROM inventory_stockitem WHERE sku = %s", [sku])[0][0] >= held + 3
        ),
        what="the pieces are for sale again",
    )
    assert shop.post(f"/orders/{token}/cancel/").status_code == 409
