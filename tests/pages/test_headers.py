"""What every answer tells a browser to refuse, and a stranger who finds nothing."""

import httpx
import pytest
from playwright.sync_api import Page
from websockets.exceptions import ConnectionClosed

from tests.running_shop import RunningShop
from tests.test_live_socket import socket_of

PATHS = ("/", "/cart/", "/account/login/", "/orders/find/", "/no-such-page/", "/api/v1/products/")
EXPECTED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
NOBODYS = "not-a-token-of-anybody"


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_what_a_browser_must_not_do(shop: RunningShop, path: str) -> None:
    headers = httpx.get(f"{shop.url}{path}").headers

    assert {name: headers.get(name) for name in EXPECTED} == EXPECTED
    for feature in ("camera", "microphone", "geolocation", "payment", "usb"):
        assert f"{feature}=()" in headers["permissions-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_a_refusal_has_its_words_in_the_status_line(shop: RunningShop) -> None:
    refused = httpx.post(f"{shop.url}/api/v1/orders/", json={})
    assert (refused.status_code, refused.reason_phrase) == (422, "Unprocessable Entity")


def test_behind_https_every_cookie_is_secure_and_the_browser_stays_there(shop: RunningShop) -> None:
    answer = shop.manage("shell", "-c", _ASK_OVER_HTTPS, SECURE_COOKIES="true").splitlines()

    assert "max-age=31536000; includeSubDomains; preload" in answer
    cookies = [line for line in answer if line.startswith("Set-Cookie")]
    assert len(cookies) >= 2
    for cookie in cookies:
        assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax")), cookie


def test_an_order_of_a_stranger_is_not_found_on_the_page_nor_on_the_socket(
    page: Page, shop: RunningShop
) -> None:
    token = shop.placed()
    known_to_strangers = [NOBODYS, shop.order(token)["number"], token.lower(), token[:-1]]
    for guess in known_to_strangers:
        answer = page.goto(f"/orders/{guess}/")
        assert answer is not None
        assert answer.status == 404
        assert page.request.get(f"/orders/{guess}/timeline/").status == 404

        with socket_of(shop, guess) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403


def test_an_order_page_is_kept_by_no_cache_and_no_search_engine(shop: RunningShop) -> None:
    headers = httpx.get(f"{shop.url}/orders/{shop.placed()}/").headers

    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"] == "noindex"


_ASK_OVER_HTTPS = """
from django.test import Client
client = Client(headers={"Host": "localhost"})
page = client.get("/account/login/", secure=True)
print(page.headers.get("Strict-Transport-Security"))
sku = "FOX-PRIDE"
client.post("/cart/add/", {"sku": sku, "quantity": 1}, secure=True)
client.post("/language/", {"language": "de", "next": "/"}, secure=True)
print(client.cookies.output())
"""
