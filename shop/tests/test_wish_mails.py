"""Mails about wishes, through the worker's own door: events go in, mails come out."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from events.products import PriceChanged
from events.stock import StockArrived
from events.wishlists import WishCameTrue
from inventory.services import adjust_stock
from shop.handlers import worker
from shop.tests.people import sign_up
from shop.tests.shelf import change_price, put_on_shelf, sell_elsewhere, withdraw
from workers.testing import deliver, deliver_records, published, record_of

pytestmark = pytest.mark.django_db(transaction=True)

ADA = "ada@example.org"


@pytest.fixture
def ada() -> Client:
    """A browser of somebody who waits for Middlemarch at 14.90."""
    put_on_shelf(sku="FOX-1", title="Middlemarch", price=1490, stock=1)
    browser = sign_up(email=ADA)
    browser.post("/wishlist/FOX-1/")
    mail.outbox.clear()
    return browser


def hear(event: type[Any]) -> None:
    """Have the worker hear the newest event of a kind, and then what it published itself."""
    before = len(published(WishCameTrue))
    deliver(worker, published(event)[-1])
    for wish in published(WishCameTrue)[before:]:
        deliver(worker, wish)


def subjects() -> list[str]:
    return [str(one.subject) for one in mail.outbox]


def arrive() -> None:
    adjust_stock(sku="FOX-1", quantity=3, note="new delivery", by="the test")


def test_a_price_that_drops_is_told(ada: Client) -> None:
    change_price(sku="FOX-1", price=990)
    hear(PriceChanged)
    assert subjects() == ["Middlemarch costs €9.90 now"]
    assert mail.outbox[0].to == [ADA]
    assert "/products/fox-1/" in str(mail.outbox[0].body)


def test_a_price_that_rises_is_not_told(ada: Client) -> None:
    change_price(sku="FOX-1", price=1990)
    hear(PriceChanged)
    assert subjects() == []


def test_a_price_is_told_again_only_when_it_is_lower_than_ever(ada: Client) -> None:
    for price in (990, 1490, 1190, 790):
        change_price(sku="FOX-1", price=price)
        hear(PriceChanged)
    assert subjects() == ["Middlemarch costs €9.90 now", "Middlemarch costs €7.90 now"]


def test_a_second_delivery_sends_no_second_mail(ada: Client) -> None:
    change_price(sku="FOX-1", price=990)
    record = record_of(published(PriceChanged)[-1])
    deliver_records(worker, [record])
    deliver_records(worker, [record])
    wish = record_of(published(WishCameTrue)[-1])
    deliver_records(worker, [wish])
    deliver_records(worker, [wish])
    assert len(published(WishCameTrue)) == 1
    assert len(subjects()) == 1


def test_books_that_come_back_are_told(ada: Client) -> None:
    sell_elsewhere(sku="FOX-1", quantity=1)
    arrive()
    hear(StockArrived)
    assert subjects() == ["Middlemarch is back"]


def test_more_of_what_is_there_is_no_news(ada: Client) -> None:
    arrive()
    assert published(StockArrived) == []


def test_books_that_come_and_go_are_told_once_a_day(ada: Client) -> None:
    for _ in range(2):
        sell_elsewhere(sku="FOX-1", quantity=1)
        arrive()
        hear(StockArrived)
        sell_elsewhere(sku="FOX-1", quantity=2)
    assert subjects() == ["Middlemarch is back"]


def test_who_dropped_the_wish_hears_nothing(ada: Client) -> None:
    change_price(sku="FOX-1", price=990)
    deliver(worker, published(PriceChanged)[-1])
    ada.post("/wishlist/FOX-1/remove/")
    deliver(worker, published(WishCameTrue)[-1])
    assert subjects() == []


def test_a_book_that_is_no_longer_sold_is_not_offered(ada: Client) -> None:
    sell_elsewhere(sku="FOX-1", quantity=1)
    arrive()
    withdraw(sku="FOX-1")
    hear(StockArrived)
    assert subjects() == []


def test_everybody_who_waits_gets_a_mail_of_their_own(ada: Client) -> None:
    sign_up(email="eve@example.org").post("/wishlist/FOX-1/")
    mail.outbox.clear()
    change_price(sku="FOX-1", price=990)
    hear(PriceChanged)
    assert sorted(one.to[0] for one in mail.outbox) == [ADA, "eve@example.org"]
    assert len({one.extra_headers["Message-ID"] for one in mail.outbox}) == 2
