"""What is mended when an event about money was given up half-way."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from events.orders import OrderRejected, PaymentRequested
from events.payments import PaymentActionRequired, PaymentCaptured, PaymentRefunded
from payments.handlers import ChargeCard, GiveBack, worker
from payments.models import PaymentAttempt, Refund
from payments.tests.conftest import cancelled, payment_of, perform_only, received
from workers.testing import deliver, published, record_of, run_periodic

pytestmark = pytest.mark.django_db


def rejected(request: PaymentRequested) -> OrderRejected:
    return OrderRejected(order_id=request.order_id, number=request.number, reason="expired")


def make_old() -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    PaymentAttempt.objects.update(created_at=long_ago)
    Refund.objects.update(created_at=long_ago)


def test_a_charge_whose_event_was_given_up_after_the_bank_had_made_it_is_found_and_told(bank, ask):
    request = ask()
    perform_only(ChargeCard(), received(record_of(request)))

    run_periodic(worker)
    assert payment_of(request).status == "pending"
    make_old()
    run_periodic(worker)

    assert [event.order_id for event in published(PaymentCaptured)] == [request.order_id]


def test_a_charge_whose_event_was_given_up_before_the_bank_heard_of_it_is_never_made(bank, ask):
    request = ask()
    with transaction.atomic():
        ChargeCard().prepare([received(record_of(request))])
    make_old()

    run_periodic(worker)

    assert bank.charges(request) == []
    assert [attempt.status for attempt in payment_of(request).attempts] == ["abandoned"]


def test_a_refund_whose_event_was_given_up_is_made_all_the_same_and_once(bank, ask):
    request = ask()
    deliver(worker, request)
    perform_only(GiveBack(), received(record_of(cancelled(request))))

    run_periodic(worker)
    assert published(PaymentRefunded) == []
    make_old()
    run_periodic(worker)
    run_periodic(worker)

    assert len(bank.refunds(request)) == len(published(PaymentRefunded)) == 1


def test_money_captured_for_an_order_that_ended_without_hearing_of_it_goes_back(bank, ask):
    request = ask()
    deliver(worker, request)
    deliver(worker, rejected(request))
    assert len(bank.refunds(request)) == len(published(PaymentRefunded)) == 1


def test_an_order_that_has_ended_waits_for_no_buyer_at_the_bank(bank, ask):
    request = ask("pm_card_authentication_required")
    deliver(worker, request)
    deliver(worker, rejected(request))
    bank.buyer_answers(published(PaymentActionRequired)[0].action_url, "approved")
    run_periodic(worker)
    assert payment_of(request).status == "abandoned"
    assert published(PaymentCaptured) == []
