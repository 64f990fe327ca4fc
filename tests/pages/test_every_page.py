"""One walk through every page and state, and what holds on each of them.

The walk is that of the gallery. On the way each page is looked at in light and dark, on a phone and on a desk, then
at 320 px, then with text of twice its size; the tests below read what was noticed.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response

from tests.gallery.scenes import scenes
from tests.pages.conftest import listen
from tests.running_shop import RunningShop

pytestmark = pytest.mark.timeout(600)

WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
SCHEMES: tuple[Any, ...] = ("light", "dark")
WIDTHS = (390, 1280)
_SIDEWAYS = """
() => [...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 3).map(one => one.tagName.toLowerCase() + '.' + one.className)
"""
_IS_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
_LOW_BUTTONS = """
() => [...document.querySelectorAll('.button.large, main form:not(.languages) button.button:not(.quiet)')]
  .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44)
  .map(one => one.textContent.trim())
"""


class Notes(msgspec.Struct):
    """What the walk noticed, one sentence each."""

    pages: list[str] = msgspec.field(default_factory=list)
    barriers: list[str] = msgspec.field(default_factory=list)
    sideways: list[str] = msgspec.field(default_factory=list)
    low_buttons: list[str] = msgspec.field(default_factory=list)
    complaints: list[str] = msgspec.field(default_factory=list)
    foreign: list[str] = msgspec.field(default_factory=list)
    lax: list[str] = msgspec.field(default_factory=list)


@pytest.fixture(scope="module")
def noticed(browser: Browser, shop: RunningShop) -> Iterator[Notes]:
    notes = Notes()
    context = browser.new_context(base_url=shop.url, reduced_motion="reduce")
    page = context.new_page()
    listen(page, notes.complaints)
    page.on("request", lambda request: _note_foreign(notes, shop=shop, url=request.url))
    page.on("response", lambda response: _note_policy(notes, response=response))
    for name, reach in scenes(shop=shop).items():
        page.set_viewport_size({"width": 1280, "height": 900})
        reach(page)
        _look(page, name=name, notes=notes)
    yield notes
    context.close()


def test_the_walk_went_through_the_shop(noticed: Notes) -> None:
    assert len(noticed.pages) > 35


def test_no_page_puts_a_barrier_up(noticed: Notes) -> None:
    assert not noticed.barriers, "\n".join(noticed.barriers)


def test_no_page_scrolls_sideways_at_320_px_nor_with_text_of_twice_its_size(noticed: Notes) -> None:
    assert not noticed.sideways, "\n".join(noticed.sideways)


def test_what_a_page_is_there_for_is_high_enough_for_a_thumb(noticed: Notes) -> None:
    assert not noticed.low_buttons, "\n".join(noticed.low_buttons)


def test_the_browser_has_nothing_to_complain_about(noticed: Notes) -> None:
    assert not noticed.complaints, "\n".join(noticed.complaints)


def test_nothing_is_asked_of_anybody_else(noticed: Notes) -> None:
    assert not noticed.foreign, "\n".join(noticed.foreign)


def test_every_page_is_sent_with_a_policy_that_allows_nothing_unsafe(noticed: Notes) -> None:
    assert not noticed.lax, "\n".join(noticed.lax)


def _look(page: Page, *, name: str, notes: Notes) -> None:
    notes.pages.append(name)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            notes.barriers += [f"{name}, {scheme}, {width} px: {found}" for found in _barriers(page)]
    notes.low_buttons += [f"{name}: {words}" for words in page.evaluate(_LOW_BUTTONS)]
    page.set_viewport_size({"width": 320, "height": 900})
    _note_sideways(page, name=f"{name} at 320 px", notes=notes)
    page.set_viewport_size({"width": 640, "height": 900})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    _note_sideways(page, name=f"{name} with large text", notes=notes)
    page.evaluate("document.documentElement.style.fontSize = ''")


def _barriers(page: Page) -> Sequence[str]:
    violations = Axe().run(page, options=WCAG).response["violations"]
    return [
        f"{one['id']} at {', '.join(str(node['target'][0]) for node in one['nodes'][:3])}"
        for one in violations
    ]


def _note_sideways(page: Page, *, name: str, notes: Notes) -> None:
    if page.evaluate(_IS_WIDE):
        notes.sideways.append(f"{name}: {page.evaluate(_SIDEWAYS)}")


def _note_foreign(notes: Notes, *, shop: RunningShop, url: str) -> None:
    if not url.startswith((shop.url, shop.environment["BANK_URL"], "data:")):
        notes.foreign.append(url)


def _note_policy(notes: Notes, *, response: Response) -> None:
    policy = response.headers.get("content-security-policy", "")
    is_page = "text/html" in response.headers.get("content-type", "")
    if (
        is_page
        and "/shown/" not in response.url
        and ("default-src 'none'" not in policy or "unsafe" in policy)
    ):
        notes.lax.append(f"{response.url}: {policy or 'no policy'}")
