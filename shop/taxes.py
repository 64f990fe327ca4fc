"""The value-added tax within prices: the rate of the country that the parcel goes to, for printed books.

Prices on the shelf are the same for every country and include its tax. Delivery follows the goods it belongs to, so
one rate holds for the whole order (Directive 2006/112/EC, articles 33 and 78). The rates are the demo shop's; who
sells in earnest compares them with what the countries publish, and changes them here.
"""

from collections.abc import Mapping

_WHOLE = 10_000

# Basis points: 700 is 7 %.
_BOOK_RATES: Mapping[str, int] = {
    "AT": 1000,
    "BE": 600,
    "BG": 900,
    "CH": 260,
    "CY": 300,
    "CZ": 0,
    "DE": 700,
    "DK": 2500,
    "EE": 900,
    "ES": 400,
    "FI": 1350,
    "FR": 550,
    "GB": 0,
    "GR": 600,
    "HR": 500,
    "HU": 500,
    "IE": 0,
    "IS": 1100,
    "IT": 400,
    "LI": 260,
    "LT": 500,
    "LU": 300,
    "LV": 500,
    "MT": 500,
    "NL": 900,
    "NO": 0,
    "PL": 500,
    "PT": 600,
    "RO": 1100,
    "SE": 600,
    "SI": 500,
    "SK": 500,
}


def tax_rate(*, country: str) -> int:
    """Return the rate for books in a country that we deliver to, in basis points."""
    return _BOOK_RATES[country]


def included_tax(*, gross: int, rate: int) -> int:
    """Return the tax within `gross`, both in minor units: gross * rate / (1 + rate), half a cent rounded up.

    Worked out once, on the order's total, so that no sum of rounded parts differs from it.
    """
    whole = _WHOLE + rate
    return (2 * gross * rate + whole) // (2 * whole)
