"""A Chromium for the browser tests: the one on the PATH, else Playwright's own, else Debian's package."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from stack import StackError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_SECONDS = 300


class NoChromium(StackError):
    """There is no browser, and none could be installed."""


def ensure_chromium() -> Path:
    """Return a Chromium that starts, installed if need be; raise `NoChromium` when that fails."""
    for path in _candidates():
        if path and _starts(path=path):
            return path
    raise NoChromium("The browser tests need Chromium: install it so that `chromium` is on the PATH.")


def _candidates() -> Iterator[Path | None]:
    yield _on_path()
    yield _of_playwright()
    _try(sys.executable, "-m", "playwright", "install", "chromium")
    yield _of_playwright()
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _try("apt-get", "update", "-qq")
        _try("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
        yield _on_path()


def _on_path() -> Path | None:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def _of_playwright() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _starts(*, path: Path) -> bool:
    return path.exists() and _try(str(path), "--version")


def _try(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
