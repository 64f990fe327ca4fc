"""What pages weigh, against the limits of `make budget`."""

import pytest
from playwright.sync_api import Browser

from tests.gallery.budget import VIEWPORTS, measure, pages_of
from tests.running_shop import RunningShop


@pytest.mark.parametrize("viewport", VIEWPORTS, ids=str)
def test_no_page_costs_more_than_its_budget(
    browser: Browser, shop: RunningShop, viewport: tuple[int, int]
) -> None:
    costs = {
        name: measure(browser=browser, shop=shop, path=path, viewport=viewport)
        for name, path in pages_of(shop=shop).items()
    }
    assert {name: cost.excesses() for name, cost in costs.items() if cost.excesses()} == {}
