"""The order's socket: it hints that there is news, to those who hold the address, and says nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.running_shop import RunningShop

SECONDS = 30


@contextmanager
def socket_of(shop: RunningShop, token: str, *, origin: str | None = None) -> Iterator[ClientConnection]:
    """Open the socket as the order's page does."""
    url = f"{shop.url.replace('http', 'ws', 1)}/ws/orders/{token}/"
    with connect(url, additional_headers={"Origin": origin or shop.url}, proxy=None) as socket:
        yield socket


def next_hint(socket: ClientConnection) -> dict[str, Any]:
    hint: dict[str, Any] = json.loads(socket.recv(timeout=SECONDS))
    return hint


def hints_up_to(socket: ClientConnection, sequence: int) -> list[dict[str, Any]]:
    """Return all hints until this one has come. A hint may come twice: the database is ahead of the topic."""
    heard = [next_hint(socket)]
    while heard[-1]["sequence"] < sequence:
        heard.append(next_hint(socket))
    return heard


def test_the_first_hint_says_where_the_order_stands(shop: RunningShop) -> None:
    token = shop.placed()
    order = shop.wait_for(token, "completed")
    with socket_of(shop, token) as socket:
        assert next_hint(socket) == {"order": order["number"], "sequence": 5}


def test_every_step_is_hinted_up_to_the_last(shop: RunningShop) -> None:
    token = shop.placed()
    with socket_of(shop, token) as socket:
        heard = [hint["sequence"] for hint in hints_up_to(socket, 5)]
    assert set(heard) == set(range(heard[0], 6))


def test_a_socket_hears_of_its_own_order_only(shop: RunningShop) -> None:
    waiting = shop.placed(payment_method="pm_card_authentication_required")
    order = shop.wait_for(waiting, "action_required")
    with socket_of(shop, waiting) as socket:
        next_hint(socket)
        shop.wait_for(shop.placed(), "completed")
        shop.post(f"/orders/{waiting}/cancel/")
        heard = hints_up_to(socket, order["sequence"] + 1)
    assert {hint["order"] for hint in heard} == {order["number"]}


def test_two_pages_of_one_order_both_hear_the_news(shop: RunningShop) -> None:
    token = shop.placed(payment_method="pm_card_authentication_required")
    before = shop.wait_for(token, "action_required")["sequence"]
    with socket_of(shop, token) as one, socket_of(shop, token) as other:
        next_hint(one), next_hint(other)
        shop.post(f"/orders/{token}/cancel/")
        for page in (one, other):
            assert hints_up_to(page, before + 1)[-1]["sequence"] == before + 1


def test_what_a_page_says_is_ignored(shop: RunningShop) -> None:
    token = shop.placed(payment_method="pm_card_authentication_required")
    before = shop.wait_for(token, "action_required")["sequence"]
    with socket_of(shop, token) as socket:
        next_hint(socket)
        for nonsense in ("not JSON", "{}", '{"order": 1}', b"\x00\xff"):
            socket.send(nonsense)
        shop.post(f"/orders/{token}/cancel/")
        assert hints_up_to(socket, before + 1)[-1]["sequence"] == before + 1


def test_who_holds_no_orders_token_is_refused_by_the_closing_code(shop: RunningShop) -> None:
    with socket_of(shop, "no-such-token") as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=SECONDS)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


def test_a_page_of_another_site_gets_no_socket(shop: RunningShop) -> None:
    token = shop.placed()
    with pytest.raises(InvalidStatus) as refused, socket_of(shop, token, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_an_address_without_a_socket_is_refused(shop: RunningShop) -> None:
    with pytest.raises(InvalidStatus) as refused, socket_of(shop, "a/b/c"):
        pass
    assert refused.value.response.status_code == 403
