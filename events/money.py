"""Prices in words: integer minor units and an ISO 4217 code become what a buyer reads."""

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
WITHOUT_MINOR_UNITS = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})
_GERMAN_SEPARATORS = str.maketrans(",.", ".,")


def format_money(*, amount: int, currency: str, language: str = "en") -> str:
    """Return minor units of an ISO 4217 currency as text, the way `language` ("en", "de") writes it.

    1290 EUR make "€12.90" and "12,90 €", 500 CHF "CHF 5.00" and "5,00 CHF". A non-breaking space holds number and
    currency together in German (DIN 5008).
    """
    sign = "-" if amount < 0 else ""
    number = _format_number(amount=abs(amount), currency=currency)
    if language == "de":
        return f"{sign}{number.translate(_GERMAN_SEPARATORS)}\u00a0{SYMBOLS.get(currency, currency)}"
    return f"{sign}{SYMBOLS.get(currency, f'{currency} ')}{number}"


def _format_number(*, amount: int, currency: str) -> str:
    if currency in WITHOUT_MINOR_UNITS:
        return f"{amount:,}"
    return f"{amount // 100:,}.{amount % 100:02}"
