"""The bell in the header: it counts news while the page stays as it is."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.running_shop import RunningShop
from tests.test_bell_socket import open_account, order
from tests.test_browser import check_out, put_in_basket
from tests.waiting import eventually

BY_PUSH_MS = 10_000
BY_POLLING_MS = 30_000
ASKS_THE_BUYER = "pm_card_authentication_required"  # two notices: the order is placed, the bank asks


@pytest.fixture
def account(page: Page, shop: RunningShop) -> int:
    """The id of an account that is signed in on `page`."""
    account, session = open_account(shop)
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": shop.url}])
    return account


def bell(page: Page) -> Locator:
    return page.get_by_role("banner").get_by_role("link", name="Notifications")


def test_the_count_changes_without_a_reload_and_leads_to_the_news(
    page: Page, shop: RunningShop, account: int
) -> None:
    page.goto("/")
    page.evaluate("window.untouched = true")
    expect(bell(page)).to_have_accessible_name("Notifications")
    order(shop, account=account, card=ASKS_THE_BUYER)

    expect(bell(page)).to_have_accessible_name("Notifications, 2 unread", timeout=BY_PUSH_MS)
    assert page.evaluate("window.untouched") is True
    bell(page).click()
    expect(page.get_by_role("link", name="Your bank wants a word with you")).to_be_visible()
    page.get_by_role("button", name="Mark all as read").click()
    expect(bell(page)).to_have_accessible_name("Notifications")


def test_without_a_socket_the_bell_asks_by_itself(page: Page, shop: RunningShop, account: int) -> None:
    page.route_web_socket("**/ws/notifications/", lambda socket: socket.close(code=1006))
    page.goto("/")
    order(shop, account=account, card=ASKS_THE_BUYER)
    expect(bell(page)).to_have_accessible_name("Notifications, 2 unread", timeout=BY_POLLING_MS)


def test_news_of_the_order_before_the_buyers_eyes_are_read(
    page: Page, shop: RunningShop, account: int
) -> None:
    put_in_basket(page)
    check_out(page)
    expect(page.get_by_text("Delivered. Happy reading.")).to_be_visible()
    # The mail, and with it the notice, may come a moment after the step that it tells.
    arrived = "SELECT count(read_at) FROM notifications_notice WHERE buyer_id = %s AND kind = 'delivered'"
    eventually(lambda: shop.query(arrived, [account]) == [(1,)], what="the last notice is read")
    page.goto("/account/notifications/")
    expect(page.get_by_role("link", name="Paid, and on our packing table")).to_be_visible()
    expect(page.get_by_text("New", exact=True)).to_have_count(0)


def test_without_javascript_the_bell_is_a_link_with_the_count(plain_page: Page, shop: RunningShop) -> None:
    account, session = open_account(shop)
    plain_page.context.add_cookies([{"name": "sessionid", "value": session, "url": shop.url}])
    order(shop, account=account, card=ASKS_THE_BUYER)
    eventually(
        lambda: (
            shop.query("SELECT count(*) FROM notifications_notice WHERE buyer_id = %s", [account]) == [(2,)]
        ),
        what="two notices",
    )
    plain_page.goto("/")
    expect(bell(plain_page)).to_have_accessible_name("Notifications, 2 unread")
    bell(plain_page).click()
    expect(plain_page.get_by_role("heading", name="Your notifications")).to_be_visible()
