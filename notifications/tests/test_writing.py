"""What buyers get to read, through the worker, the real database and real files."""

import re
from email.message import EmailMessage

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.notifications import EmailSent
from events.orders import OrderPlaced
from notifications.handlers import worker
from notifications.selectors import emails_of_order
from notifications.tests import facts
from notifications.tests.conftest import perform_only, received
from workers.testing import deliver, deliver_records, published, record_of, run_periodic

pytestmark = pytest.mark.django_db


def text_of(mail: EmailMessage) -> str:
    return _body_of(mail, "plain")


def html_of(mail: EmailMessage) -> str:
    return _body_of(mail, "html")


def _body_of(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def told(order: OrderPlaced) -> list[tuple[str, str]]:
    return [(email.kind, email.status) for email in emails_of_order(order_id=order.order_id)]


def test_a_placed_order_is_answered_with_a_mail_in_text_and_html(mailbox, settings):
    settings.SHOP_URL = "https://foxglove.example"
    deliver(worker, facts.placed())

    [mail] = mailbox.mails()
    assert (mail["To"], mail["Subject"]) == ("ada@example.org", "We have your order WB-7K3M-9QXD")
    for body in (text_of(mail), html_of(mail)):
        assert "Thank you, Ada Byron." in body
        assert "Emma" in body
        assert "€24.80" in body
        assert "https://foxglove.example/orders/the-token/" in body


def test_who_ordered_in_german_is_written_to_in_german(mailbox):
    order = facts.placed(language="de")
    deliver(worker, order, facts.confirmed(order), facts.dispatched(order))
    paid, parcel = (
        next(mail for mail in mailbox.mails() if begin in mail["Subject"])
        for begin in ("Ihre Bestellung", "Ihr Paket")
    )
    for body in (text_of(paid), html_of(paid)):
        assert "Ihre Zahlung von 24,80\u00a0€ ist angekommen." in body
        assert "Summe" in body
    assert '<html lang="de">' in html_of(paid)
    assert "am Dienstag, 24. November bei Ihnen" in text_of(parcel)


def test_the_ledger_and_an_event_say_that_the_mail_left(mailbox):
    order = facts.placed()
    deliver(worker, order)
    [email] = emails_of_order(order_id=order.order_id)
    assert (email.kind, email.status, email.to) == ("placed", "sent", "ada@example.org")
    assert email.sent_at is not None
    assert published(EmailSent) == [EmailSent(order_id=order.order_id, email_id=email.id, kind="placed")]


@pytest.mark.parametrize(
    ("news", "subject", "words"),
    [
        (facts.confirmed, "Your order WB-7K3M-9QXD is paid", "Your payment of €24.80 has arrived"),
        (facts.declined, "Your card was declined: order WB-7K3M-9QXD", "not enough money on the card"),
        (
            facts.action_required,
            "Please approve the payment of order WB-7K3M-9QXD",
            "your bank asks you to approve it",
        ),
        (
            facts.dispatched,
            "Your parcel is on its way: order WB-7K3M-9QXD",
            "FX123456789012.\n\nThey should be with you on Tuesday, 24 November",
        ),
        (facts.delivered, "Delivered: order WB-7K3M-9QXD", "Your parcel was handed over"),
        (facts.cancelled, "Order WB-7K3M-9QXD is cancelled", "As you asked, we have cancelled"),
        (facts.refunded, "We have sent €24.80 back: order WB-7K3M-9QXD", "the card you paid with"),
    ],
)
def test_news_of_an_order_reach_its_buyer_in_plain_words(mailbox, news, subject, words):
    order = facts.placed()
    deliver(worker, order, news(order))
    [mail] = [mail for mail in mailbox.mails() if mail["Subject"] == subject]
    assert words in text_of(mail).replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("reason", "subject", "words"),
    [
        ("out_of_stock", "Sorry, we are sold out: order WB-7K3M-9QXD", "Somebody was quicker"),
        ("payment_declined", "We could not take the payment: order WB-7K3M-9QXD", "No card went through"),
        ("expired", "Your order has run out of time: order WB-7K3M-9QXD", "did not arrive in time"),
    ],
)
def test_an_order_that_ended_unsold_is_told_with_its_reason(mailbox, reason, subject, words):
    order = facts.placed()
    deliver(worker, order, facts.rejected(order, reason=reason))
    [mail] = [mail for mail in mailbox.mails() if mail["Subject"] == subject]
    assert words in text_of(mail)
    assert "You pay nothing" in text_of(mail)


def test_a_cancellation_by_staff_does_not_claim_that_the_buyer_asked(mailbox):
    order = facts.placed()
    deliver(worker, order, facts.cancelled(order, by="staff"))
    [mail] = [mail for mail in mailbox.mails() if "cancelled" in mail["Subject"]]
    assert "We had to cancel your order." in text_of(mail)


def test_what_a_buyer_typed_is_only_ever_text(mailbox):
    deliver(worker, facts.placed(title="<img src=x onerror=alert(1)>", name="<script>alert(2)</script>"))
    [mail] = mailbox.mails()
    assert not re.search(r"<(img|script)", html_of(mail))
    assert "&lt;img src=x onerror=alert(1)&gt;" in html_of(mail)
    assert "<script>alert(2)</script>" in text_of(mail)


def test_a_second_decline_is_not_told_again(mailbox):
    order = facts.placed()
    deliver(worker, order)
    deliver(worker, facts.declined(order))
    deliver(worker, facts.declined(order))
    assert told(order) == [("placed", "sent"), ("declined", "sent")]
    assert len(published(EmailSent)) == 2


def test_an_event_that_comes_twice_is_told_once(mailbox):
    record = record_of(facts.placed())
    deliver_records(worker, [record])
    deliver_records(worker, [record])
    assert len(mailbox.mails()) == len(published(EmailSent)) == 1


def test_a_worker_that_dies_after_sending_sends_the_same_mail_and_leaves_one(mailbox):
    order = facts.placed()
    record = record_of(order)
    perform_only(received(record))
    [before] = mailbox.mails()
    deliver_records(worker, [record])
    [after] = mailbox.mails()
    assert before["Message-ID"] == after["Message-ID"] == f"<{order.order_id}.placed@foxglove.example>"
    assert told(order) == [("placed", "sent")]
    assert len(published(EmailSent)) == 1


def test_news_that_overtake_their_order_wait_for_it(mailbox):
    order = facts.placed()
    deliver(worker, facts.declined(order), facts.dispatched(order))
    run_periodic(worker)
    assert told(order) == [("declined", "waiting"), ("dispatched", "waiting")]
    assert mailbox.mails() == []

    deliver(worker, order)
    run_periodic(worker)
    assert sorted(told(order)) == [("declined", "sent"), ("dispatched", "sent"), ("placed", "sent")]
    assert "Your card was declined: order WB-7K3M-9QXD" in mailbox.subjects()
    assert {event.kind for event in published(EmailSent)} == {"declined", "dispatched", "placed"}


def test_news_that_waited_are_told_once(mailbox):
    order = facts.placed()
    deliver(worker, facts.declined(order))
    deliver(worker, order)
    deliver(worker, facts.declined(order))
    run_periodic(worker)
    run_periodic(worker)
    assert sorted(told(order)) == [("declined", "sent"), ("placed", "sent")]
    assert len(published(EmailSent)) == 2


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size(mailbox):
    assert _cost(orders=2) == _cost(orders=40)


def _cost(*, orders: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        deliver(worker, *(facts.placed() for _ in range(orders)))
    return len(queries)
