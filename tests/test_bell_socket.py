"""The bell's socket: it hints that an account has news, to that account alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.running_shop import RunningShop

SECONDS = 30
HINT = {"unread": "changed"}
_OPEN_ACCOUNT = (
    "from django.test import Client; from django.contrib.auth import get_user_model;"
    "user = get_user_model().objects.create_user(username={name!r});"
    "client = Client(); client.force_login(user); print(user.pk, client.cookies['sessionid'].value)"
)
_ORDER = (
    "from orders.services import place_order; from events.values import Address, Line;"
    "place_order(lines=[Line(sku='FOX-PRIDE', title='Pride', quantity=1, unit_price=1000)],"
    "email='ada@example.org', ship_to=Address(name='Ada', line1='1 Example Street', city='Exampleton',"
    "postal_code='12345', country='DE'), payment_method={card!r}, currency='EUR', buyer_id={account})"
)


def open_account(shop: RunningShop) -> tuple[int, str]:
    """Open an account; return its id and the key of a session that it is signed in with."""
    account, session = shop.manage("shell", "-c", _OPEN_ACCOUNT.format(name=str(uuid4()))).split()[-2:]
    return int(account), session


def order(shop: RunningShop, *, account: int, card: str = "pm_card_visa") -> None:
    """Place an order of this account."""
    shop.manage("shell", "-c", _ORDER.format(account=account, card=card))


@contextmanager
def bell(shop: RunningShop, *, session: str = "", origin: str = "") -> Iterator[ClientConnection]:
    """Open the socket as a page in the browser with this session does."""
    headers = {"Origin": origin or shop.url, "Cookie": f"sessionid={session}"}
    url = f"{shop.url.replace('http', 'ws', 1)}/ws/notifications/"
    with connect(url, additional_headers=headers, proxy=None) as socket:
        yield socket


def hear(socket: ClientConnection) -> object:
    return json.loads(socket.recv(timeout=SECONDS))


def test_an_account_is_hinted_of_its_own_news_and_nobody_else(shop: RunningShop) -> None:
    (ada, adas_session), (_eve, eves_session) = open_account(shop), open_account(shop)
    with bell(shop, session=adas_session) as adas, bell(shop, session=eves_session) as eves:
        assert hear(adas) == hear(eves) == HINT  # of whatever came before they listened
        order(shop, account=ada)
        assert hear(adas) == HINT
        with pytest.raises(TimeoutError):
            eves.recv(timeout=1)


@pytest.mark.parametrize("session", ["", "no-such-session"])
def test_a_guest_is_told_by_the_closing_code(shop: RunningShop, session: str) -> None:
    with bell(shop, session=session) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=SECONDS)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_a_page_of_another_site_gets_no_bell(shop: RunningShop) -> None:
    _account, session = open_account(shop)
    with pytest.raises(InvalidStatus), bell(shop, session=session, origin="https://evil.example"):
        pass
