"""Buying in a browser: without JavaScript, and with the page following along by itself."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running_shop import RunningShop

PATIENCE_MS = 30_000
HARMLESS = "Failed to load resource: the server responded with a status of 422"


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained about, policy violations included."""
    return []


@pytest.fixture
def page(browser: Browser, shop: RunningShop, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=shop.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [one for one in complaints if HARMLESS not in one] == []


@pytest.fixture
def plain_page(browser: Browser, shop: RunningShop) -> Iterator[Page]:
    """A page of a browser with JavaScript switched off."""
    context = browser.new_context(base_url=shop.url, java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def put_in_basket(page: Page, *, search: str = "Pride and Prejudice") -> None:
    page.goto("/")
    page.get_by_role("searchbox").first.fill(search)
    page.get_by_role("searchbox").first.press("Enter")
    page.locator("main a[href^='/products/']").first.click()
    with page.expect_response("**/cart/add/"):
        page.get_by_role("button", name="Add to basket").click()


def fill_card(page: Page, *, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry date").fill("12/34")
    page.get_by_label("Security code").fill("123")


def fill_delivery(page: Page) -> None:
    page.goto("/checkout/")
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Full name").fill("Ada Example")
    page.get_by_label("Street and house number").fill("1 Example Street")
    page.get_by_label("Town or city").fill("Exampleton")
    page.get_by_label("Postal code").fill("12345")
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("button", name="Continue to payment").click()


def check_out(page: Page, *, number: str = "4242 4242 4242 4242") -> None:
    fill_delivery(page)
    fill_card(page, number=number)
    page.get_by_role("button", name="Continue to review").click()
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/orders/*/")


def refresh_until(page: Page, text: str) -> None:
    """Press the Refresh link until the page says so: all that a browser without scripts can do."""
    for _ in range(200):
        if page.get_by_text(text).count():
            return
        page.get_by_role("link", name="Refresh").click()
    raise AssertionError(f"{text!r} never came; the page says: {page.inner_text('main')}")


def test_a_purchase_without_javascript_reaches_the_end(plain_page: Page) -> None:
    put_in_basket(plain_page)
    check_out(plain_page)
    refresh_until(plain_page, "Delivered. Happy reading.")


def test_every_step_appears_by_itself(page: Page) -> None:
    put_in_basket(page)
    check_out(page)
    page.evaluate("window.untouched = true")
    steps = page.locator("li[data-sequence]")

    expect(steps).to_have_count(5, timeout=PATIENCE_MS)

    numbers = steps.evaluate_all("steps => steps.map(step => Number(step.dataset.sequence)).sort()")
    assert numbers == [1, 2, 3, 4, 5]
    assert page.evaluate("window.untouched") is True
    expect(page.get_by_text("Delivered. Happy reading.")).to_be_visible()


def test_a_declined_card_is_told_and_another_one_pays(page: Page) -> None:
    put_in_basket(page)
    check_out(page, number="4000 0000 0000 9995")
    expect(page.get_by_text("not enough money").first).to_be_visible(timeout=PATIENCE_MS)

    page.locator("main a[href$='/pay/']").first.click()
    fill_card(page, number="4242 4242 4242 4242")
    page.locator("main").get_by_role("button", name="Pay").click()

    expect(page.get_by_text("Delivered. Happy reading.")).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("number", "answer", "told"),
    [
        ("4000 0027 6000 3184", "Approve", "Delivered. Happy reading."),
        ("4000 0027 6000 3184", "Fail", "could not confirm that it was you"),
        ("4000 0027 6000 3184", "Cancel", "did not approve the payment"),
        ("4000 0084 0000 1629", "Approve", "Your card was declined"),
    ],
)
def test_the_bank_asks_and_the_buyer_answers(page: Page, number: str, answer: str, told: str) -> None:
    put_in_basket(page)
    check_out(page, number=number)
    page.locator("main a[href*='/3ds/']").first.click()
    page.get_by_role("button", name=answer).click()
    page.wait_for_url("**/orders/*/")
    expect(page.get_by_text(told).first).to_be_visible(timeout=PATIENCE_MS)


def test_a_number_that_is_no_demo_card_is_refused(page: Page, shop: RunningShop) -> None:
    put_in_basket(page)
    fill_delivery(page)
    fill_card(page, number="4111 1111 1111 1111")
    page.get_by_role("button", name="Continue to review").click()

    expect(page.get_by_role("alert").first).to_be_visible()
    assert page.title().startswith("Error:")
    assert page.get_by_label("Card number").input_value() == ""


def test_an_order_of_a_stranger_is_not_found(page: Page, complaints: list[str]) -> None:
    answer = page.goto("/orders/not-a-token-of-anybody/")
    assert answer is not None
    assert answer.status == 404
    complaints.clear()


def test_the_basket_opens_beside_the_page_keeps_the_focus_and_gives_it_back(page: Page) -> None:
    put_in_basket(page)
    page.get_by_role("link", name="See the basket").press("Enter")
    drawer = page.get_by_role("dialog", name="Your basket")
    expect(drawer.get_by_role("link", name="Pride and Prejudice")).to_be_visible()

    drawer.get_by_role("button", name="Remove").press("Enter")
    expect(drawer.get_by_role("button", name="Put it back")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.matches('#drawer *, body')"), "the focus left the drawer"
    drawer.get_by_role("button", name="Put it back").press("Enter")
    expect(drawer.get_by_role("link", name="Go to checkout")).to_be_visible()

    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("link", name="See the basket")).to_be_focused()


def test_without_javascript_the_basket_is_a_page(plain_page: Page) -> None:
    plain_page.goto("/")
    plain_page.get_by_role("link", name="Basket is empty").click()

    expect(plain_page.get_by_role("heading", name="Your basket")).to_be_visible()
