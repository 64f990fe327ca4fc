"""Charging a card, against the real bank and the real database."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from uuid_utils.compat import uuid7

from events.orders import PaymentRequested
from events.payments import (
    AuthenticationReturned,
    PaymentActionRequired,
    PaymentCaptured,
    PaymentDeclined,
)
from payments.gateways import Unknown
from payments.handlers import ChargeCard, worker
from payments.models import AttemptStatus, PaymentAttempt
from payments.services import AttemptNotFound, authentication_returned
from payments.tests.conftest import cancelled, payment_of, perform_only, received
from workers import DependencyDown, Performed
from workers.testing import deliver, deliver_records, published, record_of, run_periodic

pytestmark = pytest.mark.django_db


def make_due(request: PaymentRequested) -> None:
    PaymentAttempt.objects.filter(payment_id=request.order_id).update(next_check_at=timezone.now())


def age(request: PaymentRequested, **time: float) -> None:
    created_at = timezone.now() - timedelta(**time)
    PaymentAttempt.objects.filter(payment_id=request.order_id).update(created_at=created_at)


def never_answered(request: PaymentRequested) -> None:
    """Begin a charge whose call never reached the bank, though nobody knows that."""
    event = received(record_of(request))
    with transaction.atomic():
        [intent] = ChargeCard().prepare([event])
        assert intent is not None
    with transaction.atomic():
        ChargeCard().record([Performed(event=event, intent=intent, outcome=Unknown())])


def test_an_approved_card_is_charged_and_the_capture_published(bank, ask):
    request = ask()
    deliver(worker, request)
    [event] = published(PaymentCaptured)
    assert (event.order_id, event.amount, event.currency) == (request.order_id, 2480, "EUR")
    assert (event.card.brand, event.card.last4) == ("visa", "4242")
    assert payment_of(request).status == "captured"


def test_the_bank_knows_the_charge_by_the_order_s_number_and_the_attempt_s_id(bank, ask):
    request = ask()
    deliver(worker, request)
    [charge] = bank.charges(request)
    assert (charge["status"], charge["amount"]) == ("captured", 2480)
    assert charge["idempotency_key"] == str(published(PaymentCaptured)[0].attempt_id)


@pytest.mark.parametrize(
    ("payment_method", "code"),
    [
        ("pm_card_declined", "card_declined"),
        ("pm_card_insufficient_funds", "insufficient_funds"),
        ("pm_card_expired", "expired_card"),
        ("pm_card_incorrect_cvc", "incorrect_cvc"),
        ("pm_nobody_made_this", "unknown_payment_method"),
    ],
)
def test_a_refused_card_is_a_decline_with_its_code(bank, ask, payment_method, code):
    request = ask(payment_method)
    deliver(worker, request)
    assert [event.decline_code for event in published(PaymentDeclined)] == [code]
    assert payment_of(request).status == "declined"


def test_a_processing_error_is_gone_at_the_next_try(bank, ask):
    request = ask("pm_card_processing_error")
    deliver(worker, request)
    assert [charge["status"] for charge in bank.charges(request)] == ["captured"]
    assert len(published(PaymentCaptured)) == 1


def test_an_event_that_arrives_twice_is_charged_once(bank, ask):
    request = ask()
    record = record_of(request)
    deliver_records(worker, [record])
    deliver_records(worker, [record])
    assert len(bank.charges(request)) == len(published(PaymentCaptured)) == 1


def test_a_worker_that_dies_after_the_charge_finds_it_again(bank, ask):
    request = ask()
    record = record_of(request)
    perform_only(ChargeCard(), received(record))
    deliver_records(worker, [record])
    assert len(bank.charges(request)) == len(published(PaymentCaptured)) == 1


def test_after_a_decline_the_buyer_may_try_another_card(bank, ask):
    first = ask("pm_card_declined")
    deliver(worker, first)
    deliver(worker, ask(order_id=first.order_id, number=first.number))
    assert [charge["status"] for charge in bank.charges(first)] == ["declined", "captured"]
    payment = payment_of(first)
    assert [attempt.status for attempt in payment.attempts] == ["declined", "captured"]
    assert payment.status == "captured"


def test_a_paid_order_is_not_charged_again_whoever_asks(bank, ask):
    first = ask()
    deliver(worker, first)
    deliver(worker, ask(order_id=first.order_id, number=first.number))
    assert len(bank.charges(first)) == 1


def test_the_database_refuses_a_second_attempt_beside_one_under_way(bank, ask):
    request = ask()
    deliver(worker, request)
    with pytest.raises(IntegrityError, match="attempt_one_open_or_captured"), transaction.atomic():
        PaymentAttempt.objects.create(id=uuid7(), payment_id=request.order_id, payment_method="pm_card_visa")


def test_many_orders_take_as_many_statements_as_a_few(bank, ask):
    def statements(orders: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            deliver(worker, *[ask() for _ in range(orders)])
        return len(captured)

    assert statements(30) == statements(3)


def test_while_the_bank_is_closed_nothing_is_lost_and_nothing_charged(bank, ask):
    request = ask()
    record = record_of(request)
    bank.misbehave(outage=True)
    with pytest.raises(DependencyDown):
        deliver_records(worker, [record])
    bank.misbehave(outage=False)
    deliver_records(worker, [record])
    assert len(bank.charges(request)) == len(published(PaymentCaptured)) == 1


def test_a_card_whose_gateway_is_down_publishes_nothing_and_disturbs_no_other_order(bank, ask):
    stuck, fine = ask("pm_card_gateway_down"), ask()
    deliver(worker, stuck, fine)
    assert [event.order_id for event in published(PaymentCaptured)] == [fine.order_id]
    assert payment_of(stuck).status == "pending"


def test_no_answer_is_no_outcome_until_the_bank_is_asked_by_the_attempt_s_key(bank, impatient, ask):
    request = ask("pm_card_timeout")
    deliver(worker, request)
    assert published(PaymentCaptured) == []
    assert payment_of(request).status == "unknown"
    make_due(request)
    run_periodic(worker)
    assert len(bank.charges(request)) == len(published(PaymentCaptured)) == 1
    assert payment_of(request).status == "captured"


def test_a_charge_the_bank_never_heard_of_is_made_with_the_same_key(bank, ask):
    request = ask()
    never_answered(request)
    make_due(request)
    run_periodic(worker)
    [charge] = bank.charges(request)
    assert charge["idempotency_key"] == str(published(PaymentCaptured)[0].attempt_id)


def test_an_unknown_outcome_is_not_asked_for_before_its_time(bank, ask):
    request = ask()
    never_answered(request)
    run_periodic(worker)
    assert bank.charges(request) == []


def test_a_charge_the_bank_never_heard_of_is_given_up_when_the_order_is_cancelled(bank, ask):
    request = ask()
    never_answered(request)
    deliver(worker, cancelled(request))
    make_due(request)
    run_periodic(worker)
    assert payment_of(request).status == "unknown"
    age(request, minutes=11)
    make_due(request)
    run_periodic(worker)
    assert payment_of(request).status == "abandoned"
    assert bank.charges(request) == []


@pytest.mark.parametrize(
    ("payment_method", "answer", "status", "code"),
    [
        ("pm_card_authentication_required", "approved", "captured", ""),
        ("pm_card_authentication_required", "failed", "declined", "authentication_failed"),
        ("pm_card_authentication_required", "cancelled", "declined", "authentication_cancelled"),
        ("pm_card_authentication_then_declined", "approved", "declined", "card_declined"),
    ],
)
def test_the_buyer_answers_the_bank_and_comes_back(bank, ask, settings, payment_method, answer, status, code):
    request = ask(payment_method)
    deliver(worker, request)
    [asked] = published(PaymentActionRequired)
    back = bank.buyer_answers(asked.action_url, answer)
    assert back.headers["location"] == f"{settings.SHOP_URL}/payments/return/{asked.attempt_id}/"
    assert authentication_returned(attempt_id=asked.attempt_id) == request.order_id
    deliver(worker, *published(AuthenticationReturned))
    [attempt] = payment_of(request).attempts
    assert (attempt.status, attempt.decline_code) == (status, code)


def test_a_buyer_who_comes_back_without_an_answer_is_still_waited_for(bank, ask):
    request = ask("pm_card_authentication_required")
    deliver(worker, request)
    authentication_returned(attempt_id=published(PaymentActionRequired)[0].attempt_id)
    deliver(worker, *published(AuthenticationReturned))
    assert payment_of(request).status == "action_required"
    assert len(published(PaymentActionRequired)) == 1


def test_coming_back_after_the_outcome_changes_nothing(bank, ask):
    request = ask()
    deliver(worker, request)
    authentication_returned(attempt_id=published(PaymentCaptured)[0].attempt_id)
    assert published(AuthenticationReturned) == []


def test_coming_back_for_an_attempt_nobody_made_is_refused(db):
    with pytest.raises(AttemptNotFound):
        authentication_returned(attempt_id=uuid7())


def test_a_buyer_who_approved_and_closed_the_browser_has_paid(bank, ask):
    request = ask("pm_card_authentication_required")
    deliver(worker, request)
    bank.buyer_answers(published(PaymentActionRequired)[0].action_url, "approved")
    make_due(request)
    run_periodic(worker)
    assert [event.order_id for event in published(PaymentCaptured)] == [request.order_id]


def test_a_buyer_who_never_answers_is_given_up_after_a_day(bank, ask):
    request = ask("pm_card_authentication_required")
    deliver(worker, request)
    age(request, hours=25)
    make_due(request)
    run_periodic(worker)
    assert payment_of(request).status == "abandoned"
    assert not PaymentAttempt.objects.filter(next_check_at__isnull=False).exists()


def test_cancelling_gives_up_the_buyer_s_answer_so_that_approving_later_costs_nothing(bank, ask):
    request = ask("pm_card_authentication_required")
    deliver(worker, request)
    [asked] = published(PaymentActionRequired)
    deliver(worker, cancelled(request))
    bank.buyer_answers(asked.action_url, "approved")
    deliver(worker, AuthenticationReturned(order_id=request.order_id, attempt_id=asked.attempt_id))
    run_periodic(worker)
    assert published(PaymentCaptured) == []
    assert [charge["status"] for charge in bank.charges(request)] == ["requires_action"]


def test_a_cancelled_order_is_not_charged_any_more(bank, ask):
    request = ask("pm_card_declined")
    deliver(worker, request)
    deliver(worker, cancelled(request))
    deliver(worker, ask(order_id=request.order_id, number=request.number))
    assert [charge["status"] for charge in bank.charges(request)] == ["declined"]


def test_an_abandoned_attempt_no_longer_stands_in_the_way(bank, ask):
    request = ask("pm_card_authentication_required")
    deliver(worker, request)
    PaymentAttempt.objects.update(status=AttemptStatus.ABANDONED)
    deliver(worker, ask(order_id=request.order_id, number=request.number))
    assert len(published(PaymentCaptured)) == 1
