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


def test_the_first_hint_says_where_the_order_stands(shop: RunningShop) -> None:
    token = shop.placed()
    order = shop.wait_for(token, "completed")
    with socket_of(shop, token) as socket:
        assert next_hint(socket) == {"order": order["number"], "sequence": 5}


def test_every_step_is_hinted_up_to_the_last(shop: RunningShop) -> None:
    token = shop.placed()
    with socket_of(shop, token) as socket:
        heard = [next_hint(socket)["sequence"]]
        while heard[-1] < 5:
            heard.append(next_hint(socket)["sequence"])

    missed = set(range(heard[0], 6)) - set(heard)
    assert missed == set()
    assert [entry["sequence"] for entry in shop.order(token)["timeline"]] == [1, 2, 3, 4, 5]


def test_a_socket_hears_of_its_own_order_only(shop: RunningShop) -> None:
    waiting = shop.placed(payment_method="pm_card_authentication_required")
    shop.wait_for(waiting, "action_required")
    with socket_of(shop, waiting) as socket:
        first = next_hint(socket)
        shop.wait_for(shop.placed(), "completed")
        shop.post(f"/orders/{waiting}/cancel/")
        assert next_hint(socket) == {"order": first["order"], "sequence": first["sequence"] + 1}


def test_two_pages_of_one_order_hear_the_same(shop: RunningShop) -> None:
    token = shop.placed(payment_method="pm_card_authentication_required")
    shop.wait_for(token, "action_required")
    with socket_of(shop, token) as one, socket_of(shop, token) as other:
        assert next_hint(one) == next_hint(other)
        shop.post(f"/orders/{token}/cancel/")
        assert next_hint(one) == next_hint(other)


def test_what_a_page_says_is_ignored(shop: RunningShop) -> None:
    token = shop.placed(payment_method="pm_card_authentication_required")
    shop.wait_for(token, "action_required")
    with socket_of(shop, token) as socket:
        next_hint(socket)
        for nonsense in ("not JSON", "{}", '{"order": 1}', b"\x00\xff"):
            socket.send(nonsense)
        shop.post(f"/orders/{token}/cancel/")
        assert next_hint(socket)["order"] == shop.order(token)["number"]


def test_an_unknown_order_is_told_by_the_closing_code(shop: RunningShop) -> None:
    with socket_of(shop, "no-such-token") as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=SECONDS)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


def test_a_page_of_another_site_gets_no_socket(shop: RunningShop) -> None:
    token = shop.placed()
    with pytest.raises(InvalidStatus) as refused, socket_of(shop, token, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_an_address_without_a_socket_is_refused_and_harms_nobody(shop: RunningShop) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)), socket_of(shop, "a/b/c") as socket:
        socket.recv(timeout=SECONDS)
    with socket_of(shop, shop.placed()) as socket:
        assert next_hint(socket)["sequence"] >= 1
