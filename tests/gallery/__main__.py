"""python -m tests.gallery [NAME …]: draws every page and state, or those named, into docs/gallery/."""

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from stack.chromium import ensure_chromium
from tests.conftest import CHROMIUM_OPTIONS
from tests.gallery.scenes import Reach, scenes
from tests.running_shop import RunningShop, running_shop

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "gallery"
Scheme = Literal["light", "dark"]
WIDTHS = (390, 768, 1440)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def main(*, wanted: list[str]) -> None:
    """Start a shop of our own and draw it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_shop(folder=Path(folder) / "state") as shop,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=ensure_chromium(), args=CHROMIUM_OPTIONS)
        reaches = scenes(shop=shop)
        for scheme in SCHEMES:
            _draw_all(browser=chromium, shop=shop, scheme=scheme, reaches=reaches, wanted=wanted)
        chromium.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


def _draw_all(
    *, browser: Browser, shop: RunningShop, scheme: Scheme, reaches: dict[str, Reach], wanted: list[str]
) -> None:
    context = browser.new_context(base_url=shop.url, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    for name, reach in reaches.items():
        # Also what nobody wants drawn is gone through: the next scene begins where it ends.
        page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
        reach(page)
        if not wanted or name in wanted:
            _draw(page=page, name=f"{name}-{scheme}")
    context.close()


def _draw(*, page: Page, name: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(
            "Promise.all([...document.images].map(image => (image.loading = 'eager', image.decode())))"
        )
        page.screenshot(path=FOLDER / f"{name}-{width}.png", full_page=True)


if __name__ == "__main__":
    main(wanted=sys.argv[1:])
