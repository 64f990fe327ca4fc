"""Orders in the back office: found, explained, cancelled and refunded by staff who may, with a reason that is kept."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from events import Event
from events.inventory import StockRejected, StockReserved
from events.models import OutboxEvent
from events.orders import OrderCancelled, RefundRequested
from events.payments import PaymentCaptured, PaymentDeclined, PaymentRefunded
from events.values import Card, Shortage
from orders.models import Order, RefusedTransition
from orders.saga import worker
from orders.services import cancel_order
from orders.tests.conftest import ADDRESS, Place
from workers import PermanentError, Worker
from workers.testing import deliver, published
from workers.worker import forget_worker

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(client: Client) -> SignIn:
    """Sign a member of staff in who has these permissions, written as in `orders.view_order`."""

    def sign_in(*permissions: str) -> Client:
        staff = get_user_model().objects.create_user("robin", is_staff=True)
        wanted = [Permission.objects.get_by_natural_key(*_natural_key(name)) for name in permissions]
        staff.user_permissions.set(wanted)
        client.force_login(staff)
        return client

    return sign_in


@pytest.fixture
def failing() -> Any:
    """A worker that can never handle a placed order."""
    broken = Worker("broken", dead_letter="hold")
    yield broken
    forget_worker(name="broken")


def _natural_key(name: str) -> tuple[str, str, str]:
    app, _, codename = name.partition(".")
    return codename, app, codename.rpartition("_")[2]


def page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def text(client: Client, address: str, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def do(client: Client, order: Order, deed: str, **fields: str) -> Any:
    return client.post(f"{LIST}{order.pk}/{deed}/", fields, follow=True)


def hear(order: Order, *facts: Event) -> Order:
    for fact in facts:
        deliver(worker, fact)
    order.refresh_from_db()
    return order


def reserved(order: Order) -> StockReserved:
    until = datetime.now(UTC) + timedelta(minutes=15)
    return StockReserved(order_id=order.id, lines=(), hold_expires_at=until)


def captured(order: Order) -> PaymentCaptured:
    return PaymentCaptured(
        order_id=order.id,
        attempt_id=uuid7(),
        amount=order.total,
        currency="EUR",
        card=Card(brand="visa", last4="4242"),
    )


def paid(order: Order) -> Order:
    return hear(order, reserved(order), captured(order))


def assert_untouched(order: Order) -> None:
    sequence = order.sequence
    order.refresh_from_db()
    assert order.sequence == sequence


def why_stuck(order: Order) -> str:
    said = StringIO()
    call_command("why_stuck", order.number, stdout=said)
    return said.getvalue()


def age(order: Order, **by: float) -> None:
    Order.objects.filter(pk=order.pk).update(updated_at=timezone.now() - timedelta(**by))


@pytest.mark.parametrize("quoted", ["number", "email", "id", "tracking_number"])
def test_an_order_is_found_by_whatever_a_buyer_or_a_carrier_quotes(
    admin_client: Client, place: Place, quoted: str
) -> None:
    wanted, other = place(email="ada@example.org"), place(email="bea@example.org")
    Order.objects.filter(pk=wanted.pk).update(tracking_number="FX123")
    wanted.refresh_from_db()

    page = text(admin_client, LIST, q=str(getattr(wanted, quoted)).lower())

    assert wanted.number in page
    assert other.number not in page


def test_an_order_is_found_by_the_beginning_of_an_address(admin_client: Client, place: Place) -> None:
    order = place(email="ada@example.org")

    assert order.number in text(admin_client, LIST, q="ada")
    assert order.number not in text(admin_client, LIST, q="example")


def test_an_order_late_by_over_two_minutes_is_stuck_unless_it_waits_for_its_buyer(
    admin_client: Client, place: Place
) -> None:
    late, fresh, declined = place(), place(), place()
    hear(declined, reserved(declined))
    deliver(worker, _declined(declined))
    age(late, minutes=3)
    age(declined, minutes=3)

    page = text(admin_client, LIST, attention="stuck")

    assert late.number in page
    assert fresh.number not in page
    assert declined.number not in page


def test_a_paid_order_that_was_cancelled_is_due_a_refund_until_the_money_is_back(
    admin_client: Client, place: Place
) -> None:
    order = paid(place())
    cancel_order(token=order.token, by="buyer")
    assert order.number in text(admin_client, LIST, attention="refund_due")
    assert "€24.00 still has to go back" in text(admin_client, page_of(order))

    hear(order, _refunded(order))

    assert order.number not in text(admin_client, LIST, attention="refund_due")
    assert "€24.00 went back" in text(admin_client, page_of(order))


def test_an_order_s_page_shows_its_lines_its_story_its_card_and_what_it_refused(
    admin_client: Client, place: Place
) -> None:
    order = paid(place())
    hear(order, captured(order))
    assert RefusedTransition.objects.filter(order=order).exists()

    page = text(admin_client, page_of(order))

    for shown in ("FOX-1", "€12.00", "€24.00", "We have your order.", "visa ending in 4242"):
        assert shown in page
    assert ADDRESS.line1 in page
    assert "Events refused because they came too late" in page


def test_who_may_only_look_sees_all_of_an_order_but_what_would_let_them_act_as_its_buyer(
    sign_in: SignIn, place: Place
) -> None:
    order = place(payment_method="pm_secret", idempotency_key="a key")

    page = text(sign_in("orders.view_order"), page_of(order))

    assert "FOX-1" in page
    assert "We have your order." in page
    for hidden in (order.token, "pm_secret", "a key"):
        assert hidden not in page


def test_the_page_says_why_an_order_does_not_go_on(
    admin_client: Client, place: Place, failing: Worker
) -> None:
    order = place()

    @failing.on(StockReserved)
    def never(_events: Any) -> None:
        raise PermanentError("no")

    deliver(failing, reserved(order))

    page = text(admin_client, page_of(order))

    assert "Waits for inventory to hold the books." in page
    assert "the broken worker gave up on stock_reserved after 1 try" in page


def test_what_staff_discarded_is_told_until_the_order_is_completed_all_the_same(
    admin_client: Client, place: Place, failing: Worker
) -> None:
    order = place()

    @failing.on(StockReserved)
    def never(_events: Any) -> None:
        raise PermanentError("no")

    deliver(failing, reserved(order))
    [letter] = set(
        re.findall(r"/admin/workers/deadletter/\d+/", text(admin_client, "/admin/workers/deadletter/"))
    )
    admin_client.post(f"{letter}discard/", {"reason": "nonsense"})

    assert "Staff discarded stock_reserved for the broken worker" in why_stuck(order)
    Order.objects.update(status="completed")
    assert "discarded" not in why_stuck(order)


def test_an_event_that_does_not_leave_the_outbox_is_told(place: Place) -> None:
    order = place()
    assert "outbox" not in why_stuck(order)
    OutboxEvent.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert "order_placed has waited in the outbox" in why_stuck(order)
    OutboxEvent.objects.update(blocked_at=timezone.now(), blocked_reason="It is too large.")
    assert "order_placed cannot leave the outbox, and holds all that follows. It is too large." in why_stuck(
        order
    )


def test_nobody_waits_for_an_order_that_is_not_there(db: None) -> None:
    with pytest.raises(CommandError, match="no order WB-NONE"):
        call_command("why_stuck", "WB-NONE")


def test_the_page_says_what_was_short(admin_client: Client, place: Place) -> None:
    order = place()
    shortage = Shortage(sku="FOX-1", requested=2, available=1)
    hear(order, StockRejected(order_id=order.id, shortages=(shortage,)))

    assert "Ended unsold: there was too little of FOX-1." in text(admin_client, page_of(order))


def test_the_page_leads_to_what_the_other_services_know_of_the_order(
    admin_client: Client, place: Place
) -> None:
    order = place()

    page = text(admin_client, page_of(order))
    links = re.findall(rf'href="(/admin/[^"]+={order.pk})"', page)

    assert len(links) == 8
    assert [admin_client.get(link).status_code for link in links] == [200] * 8


def test_the_page_leads_only_where_its_reader_may_go(sign_in: SignIn, place: Place) -> None:
    order = place()

    page = text(sign_in("orders.view_order", "payments.view_payment"), page_of(order))

    assert re.findall(rf'href="(/admin/[^"]+={order.pk})"', page) == [
        f"/admin/payments/payment/?order_id={order.pk}"
    ]


def test_staff_cancel_an_order_and_it_is_kept_who_did_and_why(sign_in: SignIn, place: Place) -> None:
    order = place()
    staff = sign_in("orders.view_order", "orders.cancel_order")

    page = do(staff, order, "cancel", reason="The buyer called.").content.decode()

    order.refresh_from_db()
    assert order.status == "cancelled"
    assert order.reason == "cancelled_by_staff"
    assert [event.reason for event in published(OrderCancelled)] == ["The buyer called."]
    assert "robin: Cancelled the order. The buyer called." in page


def test_staff_send_money_back_and_it_is_kept_who_did_and_why(sign_in: SignIn, place: Place) -> None:
    order = paid(place())
    staff = sign_in("orders.view_order", "orders.refund_order")

    page = do(staff, order, "refund", reason="It came torn.").content.decode()

    assert [event.reason for event in published(RefundRequested)] == ["It came torn."]
    assert "robin: Asked for the refund. It came torn." in page
    assert "€24.00 still has to go back" in page


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301, "a\x00b"])
def test_nothing_is_done_without_a_usable_reason(admin_client: Client, place: Place, reason: str) -> None:
    order = place()

    do(admin_client, order, "cancel", reason=reason)

    order.refresh_from_db()
    assert order.status == "placed"


def test_an_order_that_allows_neither_deed_offers_none_and_refuses_both(
    admin_client: Client, place: Place
) -> None:
    order = place()
    cancel_order(token=order.token, by="buyer")

    assert f"{order.pk}/cancel/" not in text(admin_client, page_of(order))
    assert "ended already" in do(admin_client, order, "cancel", reason="again").content.decode()
    assert "Nothing was captured" in do(admin_client, order, "refund", reason="again").content.decode()
    assert "Nothing." in text(admin_client, page_of(order))


@pytest.mark.parametrize("deed", ["cancel", "refund"])
def test_staff_who_may_only_look_are_offered_nothing_and_refused(
    sign_in: SignIn, place: Place, deed: str
) -> None:
    order = paid(place())
    staff = sign_in("orders.view_order")

    assert f"{order.pk}/{deed}/" not in text(staff, page_of(order))
    assert staff.post(f"{LIST}{order.pk}/{deed}/", {"reason": "because"}).status_code == 403
    assert_untouched(order)


@pytest.mark.parametrize("deed", ["cancel", "refund"])
def test_staff_who_may_act_but_not_look_are_refused(sign_in: SignIn, place: Place, deed: str) -> None:
    order = paid(place())

    staff = sign_in(f"orders.{deed}_order")

    assert staff.post(f"{LIST}{order.pk}/{deed}/", {"reason": "because"}).status_code == 403
    assert_untouched(order)


def test_deeds_are_done_by_post_alone(admin_client: Client, place: Place) -> None:
    order = place()

    assert admin_client.get(f"{LIST}{order.pk}/cancel/").status_code == 405


@pytest.mark.parametrize("wrong", ["nonsense", "0", str(uuid7())])
@pytest.mark.parametrize("deed", ["cancel", "refund"])
def test_a_deed_on_no_order_is_not_found(admin_client: Client, wrong: str, deed: str) -> None:
    assert admin_client.post(f"{LIST}{wrong}/{deed}/", {"reason": "x"}).status_code == 404


def test_a_page_of_no_order_leads_back(admin_client: Client) -> None:
    response = admin_client.get(f"{LIST}nonsense/change/", follow=True)

    assert response.redirect_chain[-1][0] == "/admin/"


@pytest.mark.parametrize("page", ["add", "delete"])
def test_nobody_adds_or_deletes_an_order_by_hand(admin_client: Client, place: Place, page: str) -> None:
    address = f"{LIST}add/" if page == "add" else f"{LIST}{place().pk}/delete/"

    assert admin_client.get(address).status_code == 403


def test_markup_of_a_buyer_is_shown_and_not_run(admin_client: Client, place: Place) -> None:
    order = place(ship_to=msgspec.structs.replace(ADDRESS, name="<img src=x onerror=alert(1)>"))

    page = text(admin_client, page_of(order))

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_no_page_carries_a_script_or_a_style_of_its_own(admin_client: Client, place: Place) -> None:
    order = paid(place())

    for address in ("/admin/", LIST, page_of(order), f"{LIST}{order.pk}/history/"):
        page = text(admin_client, address)
        assert not re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_the_front_page_begins_with_the_orders(admin_client: Client) -> None:
    sections = re.findall(r"<caption>(.*?)</caption>", text(admin_client, "/admin/"))

    assert sections[:3] == ["Orders", "Catalogue and stock", "Event runtime"]


def _declined(order: Order) -> PaymentDeclined:
    return PaymentDeclined(
        order_id=order.id,
        attempt_id=uuid7(),
        decline_code="insufficient_funds",
        card=Card(brand="visa", last4="4242"),
    )


def _refunded(order: Order) -> PaymentRefunded:
    return PaymentRefunded(
        order_id=order.id, attempt_id=uuid7(), refund_id=uuid7(), amount=order.total, currency="EUR"
    )
