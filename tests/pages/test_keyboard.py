"""From the catalogue to a paid order with the keyboard alone, the focus never out of sight."""

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import PATIENCE_MS

MOST_STEPS = 80
_FOCUS = """
() => {
  const focused = document.activeElement, box = focused.getBoundingClientRect();
  const isRinged = one => one && getComputedStyle(one).outlineStyle !== 'none';
  const ring = isRinged(focused) || isRinged(focused.closest('.book'));
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    name: (focused.labels?.[0]?.textContent || focused.getAttribute('aria-label') || focused.textContent).trim(),
    isNothing: focused === document.body,
    isSeen: ring && box.bottom > 0 && box.top < innerHeight && middle !== null
      && (focused.contains(middle) || middle.contains(focused)),
  };
}
"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what bears this name has the focus; all on the way there shows that it has it."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        assert focus["isNothing"] or focus["isSeen"], f"the focus on {focus['name']!r} is out of sight"
        if focus["name"].startswith(name):
            return
    raise AssertionError(f"Tab never reached {name!r} on {page.url}")


def enter(page: Page, **fields: str) -> None:
    """Go from field to field, as they stand on the page, and type."""
    for label, text in fields.items():
        tab_to(page, label.replace("_", " "))
        page.keyboard.type(text)


def press_enter_and_follow(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.fixture(autouse=True)
def _still(page: Page) -> None:
    """Scroll at once: the focus is looked for where it ends up."""
    page.emulate_media(reduced_motion="reduce")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_book_is_bought_without_a_mouse(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    tab_to(page, "Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()

    page.goto("/")
    tab_to(page, "Search books")
    page.keyboard.type("Pride and Prejudice")
    press_enter_and_follow(page)
    tab_to(page, "Pride and Prejudice")
    press_enter_and_follow(page)
    tab_to(page, "Add to basket")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="See the basket")).to_be_visible()

    tab_to(page, "See the basket")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to(page, "Go to checkout")
    press_enter_and_follow(page)

    enter(page, Email_address="ada@example.org", Full_name="Ada Example")
    enter(page, Street="1 Example Street", Postal_code="12345", Town="Exampleton", Country="Germany")
    tab_to(page, "Continue to payment")
    press_enter_and_follow(page)

    enter(page, Card_number="4242424242424242", Expiry_date="12/34", Security_code="123")
    tab_to(page, "Continue to review")
    press_enter_and_follow(page)

    tab_to(page, "Order and pay")
    press_enter_and_follow(page)
    expect(page.locator("[data-type='confirmed']")).to_be_visible(timeout=PATIENCE_MS)


def test_the_drawer_keeps_the_focus_and_gives_it_back(page: Page) -> None:
    page.goto("/")
    tab_to(page, "Basket")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()

    for key in ("Tab",) * 12 + ("Shift+Tab",) * 12:
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.matches('#drawer *, body')"), "the focus left the drawer"
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate(_FOCUS)["name"].startswith("Basket")
