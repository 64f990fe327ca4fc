"""python -m tests.gallery.budget: what pages weigh and how steadily they come up, on the demo catalogue."""

import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from stack.chromium import ensure_chromium
from tests.conftest import CHROMIUM_OPTIONS
from tests.running_shop import RunningShop, running_shop

VIEWPORTS = ((390, 844), (1440, 900))
# The weights and the requests are this project's; shift and paint are what web.dev calls good.
LIMITS = {
    "script": 30_000,
    "style": 20_000,
    "all": 250_000,
    "requests": 25,
    "foreign": 0,
    "shift": 0.1,
    "paint": 2500,
}
_WATCH = """
window.seen = {shift: 0, paint: 0};
new PerformanceObserver(list => list.getEntries().forEach(entry => {
  if (!entry.hadRecentInput) window.seen.shift += entry.value;
})).observe({type: 'layout-shift', buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(entry => { window.seen.paint = entry.startTime; }))
  .observe({type: 'largest-contentful-paint', buffered: true});
"""


class Cost(NamedTuple):
    """What a page cost: bytes as sent, requests, layout shift, and milliseconds to the largest paint."""

    script: int
    style: int
    all: int
    requests: int
    foreign: int
    shift: float
    paint: int

    def excesses(self) -> list[str]:
        """Name what is over its limit."""
        return [name for name, limit in LIMITS.items() if getattr(self, name) > limit]


def main() -> int:
    """Measure a shop of our own; answer 1 where a page costs too much."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_shop(folder=Path(folder) / "state") as shop,
        sync_playwright() as playwright,
    ):
        _print_head()
        chromium = playwright.chromium.launch(executable_path=ensure_chromium(), args=CHROMIUM_OPTIONS)
        excesses = [
            f"{name} at {viewport[0]} px: {', '.join(over)}"
            for name, path in pages_of(shop=shop).items()
            for viewport in VIEWPORTS
            if (over := _measure_and_print(chromium, shop, name, path, viewport))
        ]
        chromium.close()
    print(
        "\n".join(["", *(f"Over its limit: {excess}" for excess in excesses)])
        if excesses
        else "\nAll within."
    )
    return 1 if excesses else 0


def pages_of(*, shop: RunningShop) -> dict[str, str]:
    """Return the addresses of the pages that are measured, by name."""
    order = shop.placed()
    shop.wait_for(order, "completed")
    return {
        "home": "/",
        "facets": "/?language=French",
        "product": f"/products/{shop.slug_of(shop.some_sku())}/",
        "cart": "/cart/",
        "sign-in": "/account/login/",
        "order": f"/orders/{order}/",
    }


def measure(*, browser: Browser, shop: RunningShop, path: str, viewport: tuple[int, int]) -> Cost:
    """Load a page with nothing kept from before, in a window of this width and height."""
    width, height = viewport
    context = browser.new_context(base_url=shop.url, viewport={"width": width, "height": height})
    cost = _load(page=context.new_page(), shop=shop, path=path)
    context.close()
    return cost


def _print_head() -> None:
    print(f"{'':10}{'px':>5}" + "".join(f"{name:>10}" for name in LIMITS))
    print(f"{'limit':10}{'':5}" + "".join(f"{limit:>10}" for limit in LIMITS.values()))


def _measure_and_print(
    browser: Browser, shop: RunningShop, name: str, path: str, viewport: tuple[int, int]
) -> list[str]:
    cost = measure(browser=browser, shop=shop, path=path, viewport=viewport)
    print(f"{name:10}{viewport[0]:>5}" + "".join(f"{value:>10}" for value in cost))
    return cost.excesses()


def _load(*, page: Page, shop: RunningShop, path: str) -> Cost:
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = {}
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")

    def began(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = (
            "foreign" if not _is_ours(event["response"]["url"], shop) else event["type"]
        )

    wire.on("Network.responseReceived", began)
    wire.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
    )
    page.add_init_script(_WATCH)
    page.goto(path, wait_until="networkidle")
    seen = page.evaluate("window.seen")
    return Cost(
        script=int(sum(size for request, size in sizes.items() if kinds.get(request) == "Script")),
        style=int(sum(size for request, size in sizes.items() if kinds.get(request) == "Stylesheet")),
        all=int(sum(sizes.values())),
        requests=len(kinds),
        foreign=list(kinds.values()).count("foreign"),
        shift=round(seen["shift"], 3),
        paint=round(seen["paint"]),
    )


def _is_ours(url: str, shop: RunningShop) -> bool:
    return url.startswith((shop.url, "data:"))


if __name__ == "__main__":
    sys.exit(main())
