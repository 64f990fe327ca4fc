"""Every page and state of the shop, and how a browser comes to see it."""

import json
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

from playwright.sync_api import Page

from tests.running_shop import RunningShop
from tests.test_browser import fill_card, fill_delivery, put_in_basket
from tests.waiting import eventually

ACCOUNT = "reader@example.org"
_GONE = "FOX-ILIAD"
_OPEN_ACCOUNT = (
    "from django.test import Client; from django.contrib.auth import get_user_model as model;"
    "from orders.services import claim_orders;"
    f"users = model().objects; address = {ACCOUNT!r};"
    "user = users.filter(email=address).first() or users.create_user(username=address, email=address);"
    "claim_orders(buyer_id=user.pk, email=address);"
    "client = Client(); client.force_login(user); print('session=' + client.cookies['sessionid'].value)"
)
_WITHDRAW = f"from shop.models import Product; Product.objects.filter(sku='{_GONE}').update(is_active=False)"
_DRAWN = ("400", "403", "429", "500", "503")
_DRAW = (
    "import json; from django.template.loader import render_to_string;"
    "print(json.dumps({name: render_to_string(f'{name}.html') for name in {names}}))"
)

Reach = Callable[[Page], object]


def scenes(*, shop: RunningShop) -> dict[str, Reach]:
    """Return how to reach each page and state, by name, in an order in which each finds what the last left."""
    shop.manage("shell", "-c", _WITHDRAW)
    return {
        **_browsing(shop=shop),
        **_buying(),
        **_orders(shop=shop),
        **_yours(shop=shop),
        **_errors(shop=shop),
    }


def _at(path: str) -> Reach:
    return lambda page: page.goto(path)


def _browsing(*, shop: RunningShop) -> dict[str, Reach]:
    return {
        "home": _at("/"),
        "home-german": lambda page: _in_german(page, "/"),
        "shelf": _at("/?category=novels"),
        "facets": _at("/?language=French&period=19th+century"),
        "search": _at("/?search=sea"),
        "no-hits": _at("/?search=xylophone"),
        "spelling": _at("/?search=prejudcie"),
        "drop-a-filter": _at("/?search=pride&language=French"),
        "product": _at(f"/products/{shop.slug_of('FOX-PRIDE')}/"),
        "product-sold-out": _at(f"/products/{shop.slug_of('FOX-SOLDOUT')}/"),
        "product-gone": _at(f"/products/{shop.slug_of(_GONE)}/"),
    }


def _buying() -> dict[str, Reach]:
    return {
        "cart-empty": _at("/cart/"),
        "added": put_in_basket,
        "drawer": _open_drawer,
        "cart": _at("/cart/"),
        "delivery": _at("/checkout/"),
        "delivery-errors": lambda page: page.get_by_role("button", name="Continue to payment").click(),
        "payment": fill_delivery,
        "payment-errors": lambda page: _pay_by(page, number="4111 1111 1111 1111"),
        "review": lambda page: _pay_by(page, number="4242 4242 4242 4242"),
        "coupon-refused": lambda page: _use_coupon(page, code="NO-SUCH-CODE"),
        "coupon": lambda page: _use_coupon(page, code="FOXGLOVE10"),
        "cart-undo": _remove_from_cart,
    }


def _orders(*, shop: RunningShop) -> dict[str, Reach]:
    delivered = shop.placed(email=ACCOUNT)
    declined = shop.placed(payment_method="pm_card_declined")
    asked = shop.placed(payment_method="pm_card_authentication_required")
    cancelled = shop.placed(payment_method="pm_card_declined")
    shop.wait_for(cancelled, "payment_declined")
    shop.post(f"/orders/{cancelled}/cancel/")
    shop.wait_for(delivered, "completed")
    shop.wait_for(declined, "payment_declined")
    shop.wait_for(asked, "action_required")
    shop.wait_for(cancelled, "cancelled")
    states = {"completed": delivered, "declined": declined, "3ds": asked, "cancelled": cancelled}
    pages = {f"order-{state}": _at(f"/orders/{token}/") for state, token in states.items()}
    number = shop.order(delivered)["number"]
    pages["order-travel"] = lambda page: _open_travel(page, path=f"/orders/{delivered}/")
    pages["return"] = _at(f"/orders/{delivered}/return/")
    return {**pages, "mail": lambda page: _show(page, html=_mail_about(shop=shop, number=number))}


def _yours(*, shop: RunningShop) -> dict[str, Reach]:
    return {
        "wishlist-empty": _at("/wishlist/"),
        "find-order": _at("/orders/find/"),
        "sign-in": _at("/account/login/"),
        "sign-up": _at("/account/signup/"),
        "account": lambda page: _signed_in(page, shop=shop, path="/account/"),
        "addresses": _at("/account/addresses/"),
        "own-orders": _at("/account/orders/"),
        "notifications": _at("/account/notifications/"),
        "review-form": _at(f"/products/{shop.slug_of(shop.some_sku())}/review/"),
        "wishlist": lambda page: _wish(page, path=f"/products/{shop.slug_of('FOX-SOLDOUT')}/"),
    }


def _errors(*, shop: RunningShop) -> dict[str, Reach]:
    drawn = json.loads(shop.manage("shell", "-c", _DRAW.replace("{names}", repr(_DRAWN))).splitlines()[-1])
    return {
        "error-404": _at("/no-such-page/"),
        "error-403-csrf": _send_without_token,
        **{f"error-{name}": _shown(html=html) for name, html in drawn.items()},
    }


def _in_german(page: Page, path: str) -> None:
    page.set_extra_http_headers({"Accept-Language": "de"})
    page.goto(path)
    page.set_extra_http_headers({})


def _pay_by(page: Page, *, number: str) -> None:
    fill_card(page, number=number)
    with page.expect_navigation():
        page.get_by_role("button", name="Continue to review").click()


def _open_drawer(page: Page) -> None:
    page.locator("header [data-drawer]").click()
    page.get_by_role("dialog").wait_for()


def _open_travel(page: Page, *, path: str) -> None:
    page.goto(path)
    page.get_by_text("How it travelled").click()


def _use_coupon(page: Page, *, code: str) -> None:
    page.locator("#id_code").fill(code)
    with page.expect_navigation():
        page.get_by_role("button", name="Use this code").click()


def _wish(page: Page, *, path: str) -> None:
    page.goto(path)
    save = page.locator("#save")
    if save.get_by_role("button").count():
        save.get_by_role("button").click()
    save.get_by_role("link", name="On your wish list").wait_for()
    page.goto("/wishlist/")


def _remove_from_cart(page: Page) -> None:
    page.goto("/cart/")
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_role("button", name="Put it back").wait_for()


def _signed_in(page: Page, *, shop: RunningShop, path: str) -> None:
    printed = shop.manage("shell", "-c", _OPEN_ACCOUNT)
    session = printed.rpartition("session=")[2].strip()
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": shop.url}])
    page.goto(path)


def _send_without_token(page: Page) -> None:
    page.goto("/cart/")
    page.context.clear_cookies(name="csrftoken")
    with page.expect_navigation():
        page.locator("form.languages").last.evaluate("form => form.submit()")


def _shown(*, html: str) -> Reach:
    return lambda page: _show(page, html=html)


def _show(page: Page, *, html: str) -> None:
    """Show a page that no address leads to, as if the shop had sent it."""
    page.route("**/shown/", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    page.goto("/shown/")
    page.unroute("**/shown/")


def _mail_about(*, shop: RunningShop, number: str) -> str:
    folder = Path(shop.environment["EMAIL_DIR"])

    def written() -> str:
        mails = [
            message_from_bytes(file.read_bytes(), policy=policy.default) for file in folder.glob("*.eml")
        ]
        about = [mail for mail in mails if number in mail["Subject"] and "on its way" in mail["Subject"]]
        html = about[0].get_body(("html",)) if about else None
        return str(html.get_content()) if html else ""

    return eventually(written, what=f"a mail about {number}")
