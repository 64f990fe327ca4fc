"""How long to try in place before something else must happen."""

import random
import time

_TRIES = 3
_FIRST_WAIT_SECONDS = 0.1


class Patience:
    """Up to three tries with growing, jittered waits, two seconds at most in all."""

    def __init__(self) -> None:
        self._tries = 1

    def wait(self) -> bool:
        """Wait before the next try and return True, or return False when there is none left."""
        if self._tries >= _TRIES:
            return False
        time.sleep(random.uniform(0.5, 1.0) * _FIRST_WAIT_SECONDS * 4 ** (self._tries - 1))  # noqa: S311
        self._tries += 1
        return True
