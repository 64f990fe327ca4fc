"""Every demo card gives its outcome, with scripts and without."""

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import PATIENCE_MS
from tests.test_browser import check_out, fill_card, fill_delivery, put_in_basket, refresh_until


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("4242 4242 4242 4242", "Paid:"),
        ("4000 0000 0000 0002", "Your card was declined."),
        ("4000 0000 0000 9995", "there is not enough money on it"),
        ("4000 0000 0000 0069", "it has expired"),
        ("4000 0000 0000 0127", "the security code is wrong"),
        ("4000 0000 0000 0119", "Paid:"),
        ("4000 0027 6000 3184", "Your bank asks you to approve this payment."),
        ("4000 0084 0000 1629", "Your bank asks you to approve this payment."),
        ("4000 0000 0040 8007", "Paid:"),
        ("4000 0000 0050 3005", "We are holding your books for you."),
    ],
)
def test_a_demo_card_gives_its_outcome(page: Page, number: str, told: str) -> None:
    put_in_basket(page)
    check_out(page, number=number)

    expect(page.locator("#timeline").get_by_text(told)).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "5555 5555 5555 4444", "3782 822463 10005"])
def test_a_card_that_could_be_real_is_refused(page: Page, number: str) -> None:
    put_in_basket(page)
    fill_delivery(page)
    fill_card(page, number=number)
    page.get_by_role("button", name="Continue to review").click()

    expect(page.locator("#error-summary").get_by_text("demo cards")).to_be_visible()
    assert page.get_by_label("Card number").input_value() == ""


def test_without_scripts_a_search_leads_by_the_banks_page_to_a_delivered_order(plain_page: Page) -> None:
    put_in_basket(plain_page)
    check_out(plain_page, number="4000 0027 6000 3184")
    refresh_until(plain_page, "Your bank asks you to approve this payment.")
    plain_page.get_by_role("link", name="Approve at your bank").click()
    plain_page.get_by_role("button", name="Approve").click()
    plain_page.wait_for_url("**/orders/*/")

    refresh_until(plain_page, "Delivered. Happy reading.")


def test_what_stands_on_the_review_is_priced_before_it_is_charged(page: Page) -> None:
    put_in_basket(page)
    fill_delivery(page)
    fill_card(page, number="4242 4242 4242 4242")
    page.get_by_role("button", name="Continue to review").click()
    page.get_by_label("Express").check()
    page.get_by_label("Coupon code").fill("foxglove10")
    page.get_by_role("button", name="Order and pay").click()

    expect(page.get_by_text("Look at the total again")).to_be_visible()
    expect(page.get_by_label("Express")).to_be_checked()
    expect(page.get_by_text("Coupon FOXGLOVE10")).to_be_visible()
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/orders/*/")
    expect(page.get_by_text("Coupon FOXGLOVE10")).to_be_visible()


def test_enter_in_the_coupon_field_uses_the_code(page: Page) -> None:
    put_in_basket(page)
    fill_delivery(page)
    fill_card(page, number="4242 4242 4242 4242")
    page.get_by_role("button", name="Continue to review").click()
    page.get_by_label("Coupon code").fill("no-such-code")
    page.get_by_label("Coupon code").press("Enter")

    expect(page.locator("#error-summary").get_by_text("We do not know this code.")).to_be_visible()
