"""Holding pieces for orders and letting go of them, through the worker and the real database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.inventory import StockRejected, StockReleased, StockReserved
from events.orders import OrderPlaced
from events.values import Shortage
from inventory.handlers import worker
from inventory.models import Reservation, StockItem
from inventory.selectors import stock_levels
from inventory.services import open_stock
from inventory.tests.orders import assert_books_balance, cancelled, placed, rejected
from workers.testing import deliver, deliver_records, published, record_of

pytestmark = pytest.mark.django_db


def level(sku: str) -> int:
    return stock_levels(skus=[sku])[sku]


def test_an_order_gets_its_pieces_and_is_told_until_when_they_are_held(settings):
    settings.HOLD_SECONDS = 900
    open_stock(quantities={"EMMA": 5, "DUNE": 5})
    order = placed(("EMMA", 2), ("DUNE", 1))
    deliver(worker, order)

    [promise] = published(StockReserved)
    assert (promise.order_id, promise.lines) == (order.order_id, order.lines)
    assert abs(promise.hold_expires_at - timezone.now() - timedelta(minutes=15)) < timedelta(seconds=30)
    assert stock_levels(skus=["EMMA", "DUNE"]) == {"EMMA": 3, "DUNE": 4}
    assert_books_balance()


def test_one_short_product_and_the_order_gets_nothing_and_is_told_what_was_short():
    open_stock(quantities={"EMMA": 5, "DUNE": 1})
    deliver(worker, placed(("EMMA", 2), ("DUNE", 3)))

    [refusal] = published(StockRejected)
    assert refusal.shortages == (Shortage(sku="DUNE", requested=3, available=1),)
    assert stock_levels(skus=["EMMA", "DUNE"]) == {"EMMA": 5, "DUNE": 1}
    assert_books_balance()


def test_a_sku_that_nobody_stocked_is_short():
    deliver(worker, placed(("GHOST", 1)))
    [refusal] = published(StockRejected)
    assert refusal.shortages == (Shortage(sku="GHOST", requested=1, available=0),)


def test_two_lines_of_one_product_are_counted_together():
    open_stock(quantities={"EMMA": 3})
    deliver(worker, placed(("EMMA", 2), ("EMMA", 2)))
    [refusal] = published(StockRejected)
    assert refusal.shortages == (Shortage(sku="EMMA", requested=4, available=3),)


def test_within_a_batch_first_come_is_first_served_and_a_smaller_order_may_still_fit():
    open_stock(quantities={"EMMA": 3})
    first, too_many, fits = placed(("EMMA", 2)), placed(("EMMA", 2)), placed(("EMMA", 1))
    deliver(worker, first, too_many, fits)
    assert [event.order_id for event in published(StockReserved)] == [first.order_id, fits.order_id]
    assert [event.order_id for event in published(StockRejected)] == [too_many.order_id]


@pytest.mark.parametrize(("ending", "reason"), [(cancelled, "cancelled"), (rejected, "rejected")])
def test_an_order_that_ends_unsold_gives_its_pieces_back(ending, reason):
    open_stock(quantities={"EMMA": 5})
    order = placed(("EMMA", 2))
    deliver(worker, order)
    deliver(worker, ending(order), sequence=2)

    [released] = published(StockReleased)
    assert (released.order_id, released.lines, released.reason) == (order.order_id, order.lines, reason)
    assert level("EMMA") == 5
    assert_books_balance()


def test_placing_and_cancelling_in_one_batch_holds_nothing_in_the_end():
    open_stock(quantities={"EMMA": 5})
    order = placed(("EMMA", 5))
    deliver(worker, order, cancelled(order))
    assert len(published(StockReserved)) == len(published(StockReleased)) == 1
    assert level("EMMA") == 5


def test_pieces_go_back_once_whoever_ends_the_order_and_however_often():
    open_stock(quantities={"EMMA": 5})
    order = placed(("EMMA", 2))
    ending = record_of(cancelled(order))
    deliver(worker, order)
    deliver_records(worker, [ending])
    deliver_records(worker, [ending])
    deliver(worker, rejected(order))
    assert len(published(StockReleased)) == 1
    assert level("EMMA") == 5


def test_an_order_that_holds_nothing_has_nothing_to_give_back():
    open_stock(quantities={"EMMA": 1})
    order = placed(("EMMA", 2))
    deliver(worker, order)
    deliver(worker, rejected(order))
    assert published(StockReleased) == []
    assert level("EMMA") == 1


def test_an_order_is_answered_once_even_when_its_event_comes_again_under_another_id():
    open_stock(quantities={"EMMA": 5})
    order = placed(("EMMA", 2))
    deliver(worker, order)
    deliver(worker, order)
    assert len(published(StockReserved)) == 1
    assert level("EMMA") == 3


def test_an_order_whose_event_came_again_goes_on_as_any_other():
    open_stock(quantities={"EMMA": 5})
    order = placed(("EMMA", 2))
    deliver(worker, order)
    deliver(worker, order)
    deliver(worker, cancelled(order))
    assert level("EMMA") == 5


def test_a_reservation_s_events_carry_rising_versions():
    open_stock(quantities={"EMMA": 5})
    order = placed(("EMMA", 2))
    deliver(worker, order)
    deliver(worker, cancelled(order))
    assert Reservation.objects.get(order_id=order.order_id).version == 2


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size():
    open_stock(quantities={f"BOOK-{number}": 100 for number in range(20)})
    small, large = _cost(orders=2), _cost(orders=60)
    assert small == large


def _cost(*, orders: int) -> int:
    batch = [placed((f"BOOK-{number % 20}", 1), (f"BOOK-{(number + 7) % 20}", 1)) for number in range(orders)]
    with CaptureQueriesContext(connection) as queries:
        deliver(worker, *batch)
        deliver(worker, *(cancelled(order) for order in batch))
    return len(queries)


def test_the_database_itself_refuses_to_sell_what_is_not_there():
    open_stock(quantities={"EMMA": 1})
    with pytest.raises(IntegrityError, match="stock_is_never_oversold"), transaction.atomic():
        StockItem.objects.filter(sku="EMMA").update(available=-1)


def test_a_hundred_buyers_in_one_batch_want_the_last_ten():
    open_stock(quantities={"FOX-LAST10": 10})
    deliver(worker, *(placed(("FOX-LAST10", 1)) for _ in range(100)))
    _assert_ten_sold()


@pytest.mark.django_db(transaction=True)
def test_a_hundred_buyers_over_many_connections_want_the_last_ten():
    open_stock(quantities={"FOX-LAST10": 10})
    _deliver_at_once([[placed(("FOX-LAST10", 1)) for _ in range(5)] for _ in range(20)])
    _assert_ten_sold()


@pytest.mark.django_db(transaction=True)
def test_batches_that_want_the_same_books_in_another_order_do_not_stand_in_each_other_s_way():
    open_stock(quantities={"EMMA": 1000, "DUNE": 1000})
    forth, back = [("EMMA", 1), ("DUNE", 1)], [("DUNE", 1), ("EMMA", 1)]
    _deliver_at_once([[placed(*(forth if turn % 2 else back)) for _ in range(5)] for turn in range(20)])
    assert stock_levels(skus=["EMMA", "DUNE"]) == {"EMMA": 900, "DUNE": 900}
    assert_books_balance()


def _deliver_at_once(batches: list[list[OrderPlaced]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_deliver_on_own_connection, batches))


def _deliver_on_own_connection(batch: list[OrderPlaced]) -> None:
    try:
        deliver(worker, *batch)
    finally:
        connection.close()


def _assert_ten_sold() -> None:
    assert len(published(StockReserved)) == 10
    assert len(published(StockRejected)) == 90
    assert level("FOX-LAST10") == 0
    assert_books_balance()
