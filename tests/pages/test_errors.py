"""Mistakes in a form: told first, by name, with a way to each, and nothing to be typed again."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.test_browser import fill_card, fill_delivery, put_in_basket


def find_order(page: Page) -> str:
    page.goto("/orders/find/")
    page.get_by_label("Order number").fill("WB-7K3M-9QXD")
    page.get_by_label("Email address").fill("no address")
    return "WB-7K3M-9QXD"


def sign_in(page: Page) -> str:
    page.goto("/account/login/")
    page.locator("main").get_by_label("Email address").fill("ada@example.org")
    return "ada@example.org"


def sign_up(page: Page) -> str:
    page.goto("/account/signup/")
    page.locator("main").get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Choose a password").fill("12345")
    return "ada@example.org"


def deliver(page: Page) -> str:
    put_in_basket(page)
    page.goto("/checkout/")
    page.get_by_label("Full name").fill("Ada Example")
    page.get_by_label("Email address").fill("no address")
    return "Ada Example"


def pay(page: Page) -> str:
    put_in_basket(page)
    fill_delivery(page)
    fill_card(page, number="1234")
    return "12/34"


@pytest.mark.parametrize("fill_in_wrongly", [find_order, sign_in, sign_up, deliver, pay])
def test_mistakes_are_told_first_and_lead_to_their_fields(
    page: Page, fill_in_wrongly: Callable[[Page], str]
) -> None:
    kept = fill_in_wrongly(page)
    with page.expect_navigation() as sent:
        page.locator("main form:not(.languages) button.button").last.click()

    assert sent.value.status == 422
    assert page.title().startswith("Error:")
    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    links = summary.get_by_role("link").all()
    assert links
    for link in links:
        field = page.locator(str(link.get_attribute("href")))
        link.click()
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
    values = page.locator("main input").evaluate_all("inputs => inputs.map(input => input.value)")
    assert kept in values
