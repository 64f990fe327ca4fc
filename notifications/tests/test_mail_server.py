"""Mail servers that are away, busy, or of another opinion; over real SMTP."""

import pytest

from events.notifications import EmailSent
from notifications.handlers import WriteToBuyer, worker
from notifications.models import Email
from notifications.sending import send
from notifications.tests import facts
from notifications.tests.conftest import received
from workers import DependencyDown, PermanentError, TransientError
from workers.testing import deliver, deliver_records, published, record_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail():
    [mail] = WriteToBuyer().prepare([received(record_of(facts.placed()))])
    return mail


def test_a_mail_goes_out_by_smtp(mail_server):
    order = facts.placed()
    deliver(worker, order)
    [taken] = mail_server.taken
    assert f"Message-ID: <{order.order_id}.placed@foxglove.example>" in taken
    assert len(published(EmailSent)) == 1


def test_mails_wait_while_nobody_answers_the_door(mail_server):
    mail_server.close()
    record = record_of(facts.placed())
    with pytest.raises(DependencyDown):
        deliver_records(worker, [record])
    assert Email.objects.get().status == "queued"
    assert published(EmailSent) == []


def test_a_mail_that_found_the_door_closed_goes_out_when_it_opens(mail_server):
    record = record_of(facts.placed())
    mail_server.answers["connect"] = "421 closing for repairs"
    with pytest.raises(DependencyDown):
        deliver_records(worker, [record])
    del mail_server.answers["connect"]
    deliver_records(worker, [record])
    assert len(mail_server.taken) == len(published(EmailSent)) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "end"])
def test_a_server_that_is_busy_is_asked_again(mail_server, mail, command):
    mail_server.answers[command] = "450 come back later"
    with pytest.raises(TransientError, match="450 come back later"):
        send(mail=mail)


@pytest.mark.parametrize("command", ["MAIL", "DATA", "end"])
def test_a_mail_that_no_server_would_take_is_given_up(mail_server, mail, command):
    mail_server.answers[command] = "554 no"
    with pytest.raises(PermanentError, match="554 no"):
        send(mail=mail)


def test_an_address_that_does_not_exist_is_written_into_the_ledger(mail_server):
    mail_server.answers["RCPT"] = "550 no such person"
    deliver(worker, facts.placed())
    email = Email.objects.get()
    assert (email.status, email.failure) == ("failed", "550 no such person")
    assert published(EmailSent) == []


def test_a_second_event_of_a_kind_sends_no_second_mail(mail_server):
    order = facts.placed()
    deliver(worker, order)
    deliver(worker, facts.declined(order))
    deliver(worker, facts.declined(order))
    assert len(mail_server.taken) == len(published(EmailSent)) == 2
