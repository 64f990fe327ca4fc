"""Waiting for a condition, with a deadline instead of a sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], *, seconds: float = 30, what: str = "") -> T:
    """Return the first true answer of `condition`; raises `AssertionError` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(
                f"Not within {seconds} s: {what or getattr(condition, '__name__', condition)}"
            )
        time.sleep(0.02)
