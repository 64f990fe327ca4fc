"""Prices in words: integer minor units and an ISO 4217 code become what a buyer reads."""

import re

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
WITHOUT_MINOR_UNITS = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})
_ENGLISH_PRICE = re.compile(r"(-?)([€£$]|[A-Z]{3} )([\d,]+(?:\.\d\d)?)")
_GERMAN_SEPARATORS = str.maketrans(",.", ".,")


def format_money(*, amount: int, currency: str, language: str = "en") -> str:
    """Return minor units of an ISO 4217 currency as text, the way `language` ("en", "de") writes it.

    1290 EUR make "€12.90" and "12,90 €", 500 CHF "CHF 5.00" and "5,00 CHF". A non-breaking space holds number and
    currency together in German (DIN 5008).
    """
    sign = "-" if amount < 0 else ""
    number = _format_number(amount=abs(amount), currency=currency)
    if language == "de":
        return _in_german(sign=sign, number=number, unit=SYMBOLS.get(currency, currency))
    return f"{sign}{SYMBOLS.get(currency, f'{currency} ')}{number}"


def translate_money(*, text: str, language: str) -> str:
    """Return a text with the English prices in it as `language` writes them: "€12.90" becomes "12,90 €"."""
    if language != "de":
        return text
    return _ENGLISH_PRICE.sub(lambda price: _in_german(sign=price[1], number=price[3], unit=price[2]), text)


def _in_german(*, sign: str, number: str, unit: str) -> str:
    return f"{sign}{number.translate(_GERMAN_SEPARATORS)}\u00a0{unit.strip()}"


def _format_number(*, amount: int, currency: str) -> str:
    if currency in WITHOUT_MINOR_UNITS:
        return f"{amount:,}"
    return f"{amount // 100:,}.{amount % 100:02}"
