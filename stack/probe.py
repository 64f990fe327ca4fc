"""`python -m stack.probe URL`: ends with 0 when the address answers well, for health checks of containers."""

import sys
import urllib.error
import urllib.request

SECONDS = 4


def answers_well(*, url: str) -> bool:
    """Return whether `url` answers with a status below 400 in time."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS):  # noqa: S310
            return True
    except (OSError, urllib.error.URLError):
        return False


if __name__ == "__main__":
    sys.exit(not answers_well(url=sys.argv[1]))
