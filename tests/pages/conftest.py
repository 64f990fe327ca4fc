"""Browsers to look at pages with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.running_shop import RunningShop

PATIENCE_MS = 30_000
# What a browser says of a refusal; where a test asked for the page itself, that answer is what it tests.
_REFUSED = "Failed to load resource: the server responded with a status of 4"
HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.pages)


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about: errors on its console, policy violations included."""
    return []


@pytest.fixture
def page(browser: Browser, shop: RunningShop, complaints: list[str]) -> Iterator[Page]:
    """A page in a browser of its own, which must not have complained at the end."""
    context = browser.new_context(base_url=shop.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    listen(page, complaints)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def plain_page(browser: Browser, shop: RunningShop) -> Iterator[Page]:
    """A page of a browser with JavaScript switched off."""
    context = browser.new_context(base_url=shop.url, java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def listen(page: Page, complaints: list[str]) -> None:
    """Write down what the browser complains about on this page, and what a page loads in vain."""
    asked_for: set[str] = set()
    page.on(
        "request", lambda request: asked_for.add(request.url) if request.is_navigation_request() else None
    )
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{page.url}: {message.text} {message.location['url']}")
            if message.type == "error" and not _is_asked_for(message, asked_for=asked_for)
            else None
        ),
    )


def _is_asked_for(message: ConsoleMessage, *, asked_for: set[str]) -> bool:
    return message.text.startswith(_REFUSED) and message.location["url"] in asked_for
