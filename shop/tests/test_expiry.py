"""The expiry date is read as people write it."""

import pytest

from shop.forms import CardForm

CARD = {"number": "4242 4242 4242 4242", "cvc": "123"}


@pytest.mark.parametrize(
    "written", ["08/99", "08 / 99", "8/99", "8-2099", "08.99", "0899", "08 2099", "082099"]
)
def test_month_and_year_are_understood(written: str) -> None:
    form = CardForm({**CARD, "expiry": written})
    assert form.is_valid(), form.errors
    assert (form.card["expiry_month"], form.card["expiry_year"]) == (8, 2099)


@pytest.mark.parametrize("written", ["", "13/99", "00/99", "899", "08/9", "next year"])
def test_what_is_no_month_and_year_is_refused(written: str) -> None:
    form = CardForm({**CARD, "expiry": written})
    assert not form.is_valid()
    assert "expiry" in form.errors
