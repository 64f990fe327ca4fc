"""Prices in words: integer minor units and an ISO 4217 code become what a buyer reads."""

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
WITHOUT_MINOR_UNITS = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})


def format_money(*, amount: int, currency: str) -> str:
    """Return minor units of an ISO 4217 currency as text: 1290 EUR make "€12.90", 500 CHF "CHF 5.00"."""
    sign = "-" if amount < 0 else ""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{sign}{symbol}{_format_number(amount=abs(amount), currency=currency)}"


def _format_number(*, amount: int, currency: str) -> str:
    if currency in WITHOUT_MINOR_UNITS:
        return f"{amount:,}"
    return f"{amount // 100:,}.{amount % 100:02}"
