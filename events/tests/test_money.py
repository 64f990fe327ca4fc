"""Prices as buyers read them."""

import pytest

from events.money import format_money


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (1290, "EUR", "€12.90"),
        (5, "GBP", "£0.05"),
        (123_456_789, "USD", "$1,234,567.89"),
        (500, "CHF", "CHF 5.00"),
        (500, "JPY", "JPY 500"),
        (-1290, "EUR", "-€12.90"),
        (0, "EUR", "€0.00"),
    ],
)
def test_an_amount_is_written_with_the_sign_and_the_minor_units_of_its_currency(
    amount: int, currency: str, words: str
) -> None:
    assert format_money(amount=amount, currency=currency) == words


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (123_456_789, "EUR", "1.234.567,89\u00a0€"),
        (500, "CHF", "5,00\u00a0CHF"),
        (1500, "JPY", "1.500\u00a0JPY"),
        (-1290, "EUR", "-12,90\u00a0€"),
    ],
)
def test_german_turns_the_separators_round_and_puts_the_sign_behind(
    amount: int, currency: str, words: str
) -> None:
    assert format_money(amount=amount, currency=currency, language="de") == words
