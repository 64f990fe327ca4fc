"""Books that come back: asked for by the buyer, decided by staff, told on the timeline and to the other services."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from events.orders import RefundRequested, ReturnReceived
from events.payments import PaymentRefunded
from events.shipments import ShipmentDelivered
from events.values import Charges, Line
from orders.models import Order, OrderLine, Return
from orders.returns import (
    CannotDecide,
    CannotReturn,
    approve_return,
    receive_return,
    refuse_return,
    request_return,
)
from orders.saga import worker
from orders.standing import refund_due, standing
from orders.tests.conftest import Place
from orders.tests.test_page import dispatch, pay, reserve
from workers.testing import deliver, published

pytestmark = pytest.mark.django_db

LINES = [
    Line(sku="FOX-1", title="Emma", quantity=2, unit_price=1200),
    Line(sku="FOX-2", title="Persuasion", quantity=1, unit_price=900),
]


def arrive(order: Order) -> None:
    deliver(worker, ShipmentDelivered(order_id=order.id, tracking_number="FX1", delivered_at=timezone.now()))


@pytest.fixture
def order(place: Place) -> Order:
    """An order of two copies of Emma and one of Persuasion, for 33.00, that has arrived."""
    placed = place(lines=LINES)
    for step in (reserve, pay, dispatch, arrive):
        step(placed)
    placed.refresh_from_db()
    return placed


@pytest.fixture
def asked(order: Order) -> Return:
    """A wish to send one copy of Emma back."""
    return Return.objects.get(pk=request_return(token=order.token, pieces={1: 1}, reason="damaged"))


def take_back(*, return_id: UUID) -> None:
    approve_return(return_id=return_id, reason="as asked")


def headline(client: Client, order: Order) -> str:
    found = re.search(r'<h1 id="order-headline">(.*?)</h1>', text(client.get(f"/orders/{order.token}/")))
    return found[1] if found else ""


def story(order: Order) -> list[str]:
    return list(order.timeline.values_list("type", flat=True))


def address(order: Order) -> str:
    return f"/orders/{order.token}/return/"


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


# ── What the buyer may ask ───────────────────────────────────────────────────────────────────────────────


def test_a_buyer_asks_by_the_form(client: Client, order: Order) -> None:
    assert "Send books back" in text(client.get(f"/orders/{order.token}/"))
    answer = client.post(address(order), {"line_1": "1", "line_2": "0", "reason": "damaged"}, follow=True)
    assert answer.redirect_chain == [(f"/orders/{order.token}/", 303)]
    assert "You asked to send back 1 \u00d7 Emma." in text(answer)
    asked = Return.objects.get()
    assert (asked.status, asked.amount, asked.reason) == ("requested", 1200, "damaged")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"line_1": "0", "line_2": "0", "reason": "damaged"}, "Choose at least one book"),
        ({"line_1": "1", "line_2": "0"}, "Choose why you send it back"),
        ({"line_1": "3", "line_2": "0", "reason": "damaged"}, "Choose a number from the list"),
    ],
)
def test_a_refused_form_says_what_to_do(
    client: Client, order: Order, fields: dict[str, str], told: str
) -> None:
    answer = client.post(address(order), fields)
    assert answer.status_code == 422
    assert "<title>Error: " in text(answer)
    assert told in text(answer)
    assert not Return.objects.exists()


def test_a_piece_comes_back_once(client: Client, order: Order) -> None:
    request_return(token=order.token, pieces={1: 2, 2: 1}, reason="unwanted")
    assert "Send books back" not in text(client.get(f"/orders/{order.token}/"))
    assert client.get(address(order)).status_code == 303
    with pytest.raises(CannotReturn, match="Nothing of this order"):
        request_return(token=order.token, pieces={1: 1}, reason="unwanted")


@pytest.mark.parametrize("pieces", [{1: 3}, {7: 1}])
def test_no_more_comes_back_than_was_bought(order: Order, pieces: dict[int, int]) -> None:
    with pytest.raises(CannotReturn, match="more than can be sent back"):
        request_return(token=order.token, pieces=pieces, reason="unwanted")


def test_the_database_refuses_more_than_was_bought(order: Order) -> None:
    with pytest.raises(IntegrityError, match="returns_at_most"), transaction.atomic():
        OrderLine.objects.filter(order=order).update(returned_quantity=3)


def test_what_has_not_arrived_cannot_be_sent_back(client: Client, place: Place) -> None:
    waiting = place()
    assert "Send books back" not in text(client.get(f"/orders/{waiting.token}/"))
    with pytest.raises(CannotReturn):
        request_return(token=waiting.token, pieces={1: 1}, reason="unwanted")


def test_after_thirty_days_books_stay_where_they_are(order: Order) -> None:
    order.timeline.update(at=timezone.now() - timedelta(days=31))
    with pytest.raises(CannotReturn):
        request_return(token=order.token, pieces={1: 1}, reason="unwanted")


def test_a_strangers_order_has_no_form(client: Client) -> None:
    assert client.get("/orders/nothing/return/").status_code == 404


# ── What staff make of it ────────────────────────────────────────────────────────────────────────────────


def test_an_approved_return_asks_for_its_money_alone(order: Order, asked: Return) -> None:
    approve_return(return_id=asked.id, reason="torn cover")
    [told] = published(RefundRequested)
    assert (told.order_id, told.amount, told.return_id) == (order.id, 1200, asked.id)
    assert story(order)[-2:] == ["return_requested", "return_approved"]
    assert "€12.00 still has to go back" in standing(order=order)
    assert order in refund_due(orders=Order.objects.all())


def test_money_that_has_gone_back_is_due_no_longer(order: Order, asked: Return) -> None:
    approve_return(return_id=asked.id, reason="torn cover")
    deliver(
        worker,
        PaymentRefunded(
            order_id=order.id, attempt_id=uuid7(), refund_id=uuid7(), amount=1200, currency="EUR"
        ),
    )
    order.refresh_from_db()
    assert (order.status, order.refunded_amount) == ("completed", 1200)
    assert story(order)[-1] == "refunded"
    assert order not in refund_due(orders=Order.objects.all())
    assert "€12.00 went back" in standing(order=order)


def test_a_received_return_is_told_with_its_lines(order: Order, asked: Return) -> None:
    approve_return(return_id=asked.id, reason="torn cover")
    receive_return(return_id=asked.id)
    [told] = published(ReturnReceived)
    assert [(line.sku, line.quantity) for line in told.lines] == [("FOX-1", 1)]
    assert story(order)[-1] == "return_received"


def test_a_coupon_took_its_share_of_every_book_that_comes_back(place: Place) -> None:
    order = place(lines=LINES, charges=Charges(coupon="TEN", discount=333, shipping=290))
    for step in (reserve, pay, dispatch, arrive):
        step(order)

    whole = Return.objects.get(pk=request_return(token=order.token, pieces={1: 2, 2: 1}, reason="damaged"))

    assert whole.amount == 3300 - 333


def test_a_refused_return_says_why_and_may_be_asked_for_again(order: Order, asked: Return) -> None:
    refuse_return(return_id=asked.id, reason="The pages are full of notes.")
    assert "full of notes" in order.timeline.get(type="return_refused").text
    assert published(RefundRequested) == []
    request_return(token=order.token, pieces={1: 2}, reason="damaged")


def test_the_page_is_headed_by_the_return_that_has_come_least_far(
    client: Client, order: Order, asked: Return
) -> None:
    other = request_return(token=order.token, pieces={2: 1}, reason="unwanted")
    told = [headline(client, order)]
    for decide, which in [
        (take_back, asked.id),
        (take_back, other),
        (receive_return, asked.id),
        (receive_return, other),
    ]:
        decide(return_id=which)
        told.append(headline(client, order))

    assert told == [
        *["You would like to send books back."] * 2,
        *["We take your books back."] * 2,
        "Your books are back with us.",
    ]


def test_a_refused_return_leaves_the_headline_as_it_was(client: Client, order: Order, asked: Return) -> None:
    refuse_return(return_id=asked.id, reason="The pages are full of notes.")
    assert headline(client, order) == "Delivered. Happy reading!"


@pytest.mark.parametrize("decide", [approve_return, refuse_return])
def test_a_return_is_decided_once(asked: Return, decide: Callable[..., None]) -> None:
    approve_return(return_id=asked.id, reason="torn cover")
    with pytest.raises(CannotDecide, match="approved already"):
        decide(return_id=asked.id, reason="again")


def test_what_was_not_approved_is_not_taken_in(asked: Return) -> None:
    with pytest.raises(CannotDecide):
        receive_return(return_id=asked.id)


# ── In the back office ───────────────────────────────────────────────────────────────────────────────────


def office(*permissions: str) -> Client:
    """A browser of staff who may see returns, and what is named."""
    staff = get_user_model().objects.create_user("robin", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_return", *permissions]))
    browser = Client()
    browser.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_staff_take_a_return_all_the_way(asked: Return) -> None:
    robin, page = office("decide_return"), f"/admin/orders/return/{asked.id}/change/"
    assert "€12.00 goes back to the card" in text(robin.get(page))
    for way, after in (("approve", "Approved"), ("receive", "Received")):
        robin.post(f"/admin/orders/return/{asked.id}/do/{way}/", {"reason": "torn cover"})
        assert after in text(robin.get(page))
    assert "robin: Approve: torn cover" in text(robin.get(page))
    assert len(published(RefundRequested)) == len(published(ReturnReceived)) == 1


def test_the_order_leads_to_its_returns(asked: Return) -> None:
    robin = office()
    assert asked.order.number in text(robin.get("/admin/orders/return/", {"order_id": str(asked.order_id)}))
    assert asked.order.number not in text(robin.get("/admin/orders/return/", {"order_id": str(uuid7())}))


def test_a_decision_wants_a_reason(asked: Return) -> None:
    answer = office("decide_return").post(f"/admin/orders/return/{asked.id}/do/approve/", {}, follow=True)
    assert "say why" in text(answer)
    assert published(RefundRequested) == []


def test_staff_without_the_right_to_decide_only_look(asked: Return) -> None:
    robin = office()
    assert "Approve" not in text(robin.get(f"/admin/orders/return/{asked.id}/change/"))
    assert robin.post(f"/admin/orders/return/{asked.id}/do/approve/", {"reason": "x"}).status_code == 403
    assert published(RefundRequested) == []
