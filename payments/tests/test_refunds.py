"""Giving money back, against the real bank and the real database."""

import pytest
from django.db import IntegrityError, transaction

from events.models import OutboxEvent
from events.payments import PaymentRefunded
from payments.handlers import GiveBack, worker
from payments.models import Payment, Refund
from payments.tests.conftest import (
    cancelled,
    payment_of,
    perform_only,
    received,
    refund_requested,
    worth_a_return,
)
from workers.testing import deliver, deliver_records, published, record_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(bank, ask):
    request = ask()
    deliver(worker, request)
    return request


@pytest.mark.parametrize("reason", [cancelled, refund_requested])
def test_captured_money_goes_back(bank, paid, reason):
    deliver(worker, reason(paid))
    [event] = published(PaymentRefunded)
    assert (event.order_id, event.amount, event.currency) == (paid.order_id, 2480, "EUR")
    assert [refund["amount"] for refund in bank.refunds(paid)] == [2480]
    payment = payment_of(paid)
    assert (payment.status, payment.captured_amount, payment.refunded_amount) == ("refunded", 2480, 2480)


def test_two_reasons_give_the_money_back_once(bank, paid):
    deliver(worker, cancelled(paid))
    deliver(worker, refund_requested(paid))
    assert len(bank.refunds(paid)) == len(published(PaymentRefunded)) == 1


def test_a_worker_that_dies_after_the_refund_finds_it_again(bank, paid):
    record = record_of(refund_requested(paid))
    perform_only(GiveBack(), received(record))
    deliver_records(worker, [record])
    assert len(bank.refunds(paid)) == len(published(PaymentRefunded)) == 1


def test_nothing_goes_back_where_nothing_was_captured(bank, ask):
    declined = ask("pm_card_declined")
    deliver(worker, declined)
    deliver(worker, refund_requested(declined))
    assert published(PaymentRefunded) == []
    assert not Refund.objects.exists()


def test_an_order_that_never_asked_for_money_is_cancelled_in_peace(bank, ask):
    deliver(worker, cancelled(ask()))
    assert published(PaymentRefunded) == []


def test_every_event_of_a_payment_has_a_higher_version_than_the_one_before(bank, paid):
    deliver(worker, refund_requested(paid))
    rows = OutboxEvent.objects.filter(aggregate_id=str(paid.order_id)).order_by("id")
    assert [row.aggregate_version for row in rows] == [1, 2]


def test_a_return_gives_back_what_it_is_worth(bank, paid):
    deliver(worker, worth_a_return(paid, amount=1000))
    [event] = published(PaymentRefunded)
    assert event.amount == 1000
    payment = payment_of(paid)
    assert (payment.status, payment.refunded_amount) == ("captured", 1000)


def test_a_return_told_twice_gives_back_once(bank, paid):
    told = worth_a_return(paid, amount=1000)
    deliver(worker, told)
    deliver(worker, told)
    assert [refund["amount"] for refund in bank.refunds(paid)] == [1000]


def test_returns_never_give_back_more_than_was_paid(bank, paid):
    for _ in range(3):
        deliver(worker, worth_a_return(paid, amount=1000))
    assert sorted(refund["amount"] for refund in bank.refunds(paid)) == [480, 1000, 1000]
    assert payment_of(paid).status == "refunded"
    deliver(worker, worth_a_return(paid, amount=1000))
    deliver(worker, refund_requested(paid))
    assert len(bank.refunds(paid)) == 3


def test_after_a_return_the_rest_can_still_go_back(bank, paid):
    deliver(worker, worth_a_return(paid, amount=1000))
    deliver(worker, refund_requested(paid))
    assert sorted(refund["amount"] for refund in bank.refunds(paid)) == [1000, 1480]
    payment = payment_of(paid)
    assert (payment.status, payment.refunded_amount) == ("refunded", 2480)


def test_a_return_is_refunded_when_a_worker_died_after_promising_it(bank, paid):
    record = record_of(worth_a_return(paid, amount=1000))
    perform_only(GiveBack(), received(record))
    deliver_records(worker, [record])
    assert len(bank.refunds(paid)) == len(published(PaymentRefunded)) == 1
    assert payment_of(paid).refunded_amount == 1000


@pytest.mark.parametrize(
    "money",
    [
        {"promised_amount": 2481},
        {"refunded_amount": 2481},
        {"captured_amount": 2481},
        {"refunded_amount": -1},
    ],
)
def test_the_database_refuses_money_that_was_never_there(bank, paid, money):
    with pytest.raises(IntegrityError, match="payment_money_is_conserved"), transaction.atomic():
        Payment.objects.filter(order_id=paid.order_id).update(**money)
