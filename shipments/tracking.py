"""Tracking numbers of Foxglove Post."""

import secrets

CARRIER = "Foxglove Post"


def new_tracking_number() -> str:
    """Return `FX`, eleven random digits and a check digit, so that a slip of the pen is noticed."""
    digits = "".join(secrets.choice("0123456789") for _ in range(11))
    return f"FX{digits}{check_digit(digits=digits)}"


def check_digit(*, digits: str) -> int:
    """Return the digit that brings the weighted sum (3, 1, 3, 1 …) to a multiple of ten, as in GTINs (GS1)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return -total % 10
