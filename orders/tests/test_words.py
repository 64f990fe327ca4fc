"""The sentences of a timeline in the reader's language."""

import pytest
from django.utils import translation

from orders import words


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (words.RESERVED, "Ihre Bücher sind für Sie zurückgelegt."),
        ("Paid: €1,012.90. Thank you.", "Bezahlt: 1.012,90\u00a0€. Vielen Dank."),
        ("Your parcel is on its way with Fern & Co.", "Ihr Paket ist mit Fern & Co unterwegs."),
        ("A sentence of some earlier year.", "A sentence of some earlier year."),
    ],
)
def test_a_timeline_kept_in_english_is_told_in_german(kept: str, told: str) -> None:
    with translation.override("de"):
        assert words.tell(text=kept) == told


def test_in_english_it_is_told_as_it_is_kept() -> None:
    assert words.tell(text="Paid: €12.90. Thank you.") == "Paid: €12.90. Thank you."
