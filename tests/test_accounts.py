"""An account from its first mail to money that came back, in a browser, with every service behind it."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running_shop import PLENTY, RunningShop
from tests.waiting import eventually

PASSWORD = "grass-orchid-lantern"
PATIENCE_MS = 30_000


@pytest.fixture
def page(browser: Browser, shop: RunningShop) -> Iterator[Page]:
    yield from new_page(browser, shop)


@pytest.fixture
def office(browser: Browser, shop: RunningShop) -> Iterator[Page]:
    """A browser in which somebody of the staff is signed in."""
    name = f"staff-{uuid4().hex[:8]}"
    password = shop.manage("create_staff", "--username", name).split()[-1]
    for office in new_page(browser, shop):
        office.goto("/admin/")
        office.get_by_label("Username").fill(name)
        office.get_by_label("Password").fill(password)
        office.get_by_role("button", name="Log in").click()
        yield office


@pytest.fixture
def email(page: Page, shop: RunningShop) -> str:
    """The address of an account that is signed in on `page`."""
    address = f"{uuid4()}@example.org"
    page.goto("/account/signup/")
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Open an account").click()
    page.get_by_label("Code").fill(code_of(shop=shop, email=address))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    return address


def new_page(browser: Browser, shop: RunningShop) -> Iterator[Page]:
    context = browser.new_context(base_url=shop.url)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def code_of(*, shop: RunningShop, email: str) -> str:
    [mail] = eventually(lambda: shop.mails(email), what="the mail with the code")
    found = re.search(r"^ {4}(\S+)\r?$", mail, re.MULTILINE)
    assert found, mail
    return found[1]


def stock_of(shop: RunningShop, sku: str) -> int:
    [[available]] = shop.query("SELECT available FROM inventory_stockitem WHERE sku = %s", [sku])
    return int(available)


def decide(office: Page, *, deed: str) -> None:
    """Go on with the return on the page."""
    form = office.locator("form.deed", has=office.get_by_role("heading", name=deed))
    form.get_by_label("Why?").fill("It came torn.")
    form.get_by_role("button", name=deed).click()


def test_one_of_two_books_comes_back(page: Page, office: Page, email: str, shop: RunningShop) -> None:
    token = shop.placed(email=email, lines=[{"sku": PLENTY, "quantity": 2}])
    order = shop.wait_for(token, "completed")
    # The order was placed without the account; it joins at the next sign-in.
    page.goto("/account/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.goto("/account/login/")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=f"Follow it {order['number']}").click()

    page.get_by_role("link", name="Send books back").click()
    page.get_by_label("Pride and Prejudice").select_option("1")
    page.get_by_label("It arrived damaged").check()
    page.get_by_role("button", name="Ask to send them back").click()
    expect(page.get_by_text("You asked to send back")).to_be_visible()

    office.goto("/admin/orders/return/")
    office.get_by_role("link", name=order["number"]).click()
    decide(office, deed="Approve")
    price = order["lines"][0]["unit_price"]["amount"]
    expect(page.get_by_text("We have sent", exact=False).first).to_be_visible()
    [charge] = shop.charges(order["number"])
    assert (charge["amount"], charge["refunded"]) == (order["total"]["amount"], price)

    before = stock_of(shop, PLENTY)
    decide(office, deed="Take in")
    expect(page.get_by_role("heading", name="Your books are back with us.")).to_be_visible()
    eventually(lambda: stock_of(shop, PLENTY) == before + 1, what="the book is on the shelf")


def test_a_wish_comes_true_by_mail(page: Page, office: Page, email: str, shop: RunningShop) -> None:
    shop.manage("load_products", "--generate", "1")
    [[sku, slug]] = shop.query("SELECT sku, slug FROM shop_product ORDER BY id DESC LIMIT 1")
    page.goto(f"/products/{slug}/")
    page.get_by_role("button", name=re.compile("Save for later|Tell me")).click()
    expect(page.get_by_text("On your wish list")).to_be_visible()

    office.goto(f"/admin/shop/product/?q={sku}")
    office.get_by_role("link", name=sku).click()
    office.get_by_label("Price amount").fill("1")
    office.get_by_role("button", name="Save", exact=True).click()
    office.wait_for_url("**/admin/shop/product/**")

    eventually(
        lambda: [mail for mail in shop.mails(email) if "costs" in mail and "0.01" in mail],
        what="a mail about the lower price",
    )
    page.goto("/wishlist/")
    expect(page.get_by_text("Price dropped")).to_be_visible()
