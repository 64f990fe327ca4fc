"""What buyers with an account find at the bell, written with the mails."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.notifications import BuyerNotified
from events.orders import OrderPlaced
from notifications.handlers import worker
from notifications.notices import count_unread, latest_notices, mark_all_read, mark_order_read
from notifications.tests import facts
from workers.testing import deliver, deliver_records, published, record_of, run_periodic

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mailbox")]

ADA, EVE = 7, 8


def told(buyer_id: int) -> list[tuple[str, bool]]:
    return [(notice.told, notice.is_read) for notice in latest_notices(buyer_id=buyer_id)]


def test_each_mail_to_an_account_leaves_a_notice_newest_first() -> None:
    order = facts.placed(buyer_id=ADA)
    deliver(worker, order)
    deliver(worker, facts.confirmed(order))

    assert told(ADA) == [("Paid, and on our packing table", False), ("We have your order", False)]
    assert count_unread(buyer_id=ADA) == 2
    [latest, _first] = latest_notices(buyer_id=ADA)
    assert (latest.number, latest.token) == (order.number, order.token)


def test_the_account_is_told_by_an_event_with_its_own_key() -> None:
    order = facts.placed(buyer_id=ADA)
    deliver(worker, order)

    [event] = published(BuyerNotified)
    assert event == BuyerNotified(account_id=ADA, order_id=order.order_id, kind="placed")
    assert event.key == "account-7"


def test_a_guest_gets_mails_and_no_notice() -> None:
    deliver(worker, facts.placed())

    assert published(BuyerNotified) == []
    assert count_unread(buyer_id=0) == 0


def test_an_event_that_comes_twice_leaves_one_notice() -> None:
    order = facts.placed(buyer_id=ADA)
    deliver(worker, order)
    deliver_records(worker, [record_of(order), record_of(order)])

    assert told(ADA) == [("We have your order", False)]
    assert len(published(BuyerNotified)) == 1


def test_news_that_overtook_the_order_is_kept_once_the_order_is_known() -> None:
    order = facts.placed(buyer_id=ADA)
    deliver(worker, facts.confirmed(order))
    assert count_unread(buyer_id=ADA) == 0
    deliver(worker, order)
    run_periodic(worker)

    assert {words for words, _ in told(ADA)} == {"We have your order", "Paid, and on our packing table"}


def test_opening_one_order_reads_its_notices_alone() -> None:
    one, other = _two_orders(buyer_id=ADA)
    mark_order_read(buyer_id=ADA, token=one.token)

    read = {notice.token: notice.is_read for notice in latest_notices(buyer_id=ADA)}
    assert read == {one.token: True, other.token: False}


def test_nobody_reads_the_notices_of_somebody_else() -> None:
    one, _other = _two_orders(buyer_id=ADA)
    mark_order_read(buyer_id=EVE, token=one.token)
    mark_all_read(buyer_id=EVE)

    assert told(EVE) == []
    assert count_unread(buyer_id=ADA) == 2


def test_all_are_read_at_once() -> None:
    _two_orders(buyer_id=ADA)
    mark_all_read(buyer_id=ADA)

    assert count_unread(buyer_id=ADA) == 0
    assert [is_read for _, is_read in told(ADA)] == [True, True]


def test_the_notices_of_a_batch_cost_one_statement() -> None:
    assert _statements(buyer_id=ADA) == _statements(buyer_id=None) + 1


def _two_orders(*, buyer_id: int) -> tuple[OrderPlaced, OrderPlaced]:
    one, other = (
        facts.placed(buyer_id=buyer_id, number=f"WB-2222-222{letter}", token=letter) for letter in "AB"
    )
    deliver(worker, one, other)
    return one, other


def _statements(*, buyer_id: int | None) -> int:
    orders = [facts.placed(buyer_id=buyer_id) for _ in range(3)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        deliver(worker, *orders)
    return len(queries)
