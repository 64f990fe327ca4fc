"""How parcels travel, and what that costs: few methods, three zones, prices in minor units of the order's currency."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Method = Literal["standard", "express"]
STANDARD: Method = "standard"

_HOME = "DE"
_BEYOND_THE_UNION = {"CH", "GB", "IS", "LI", "NO"}


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """What a parcel costs, and from which value of its goods on it costs nothing; None is never."""

    price: int
    free_from: int | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A way to send one order: its price for this country and these goods."""

    method: Method
    name: str
    takes: str
    price: int


_WAYS: list[tuple[Method, Promise | str, Promise | str]] = [
    ("standard", _("Standard"), _("3 to 5 working days")),
    ("express", _("Express"), _("1 to 2 working days")),
]
_TARIFFS: Mapping[Method, Mapping[str, Tariff]] = {
    "standard": {
        "home": Tariff(price=290, free_from=2900),
        "union": Tariff(price=590, free_from=5900),
        "beyond": Tariff(price=990, free_from=9900),
    },
    "express": {
        "home": Tariff(price=690),
        "union": Tariff(price=1490),
        "beyond": Tariff(price=2490),
    },
}


def shipping_price(*, method: Method, country: str, subtotal: int) -> int:
    """Return what sending goods worth `subtotal` (before any coupon, minor units) costs."""
    tariff = _TARIFFS[method][_zone(country=country)]
    is_free = tariff.free_from is not None and subtotal >= tariff.free_from
    return 0 if is_free else tariff.price


def shipping_offers(*, country: str, subtotal: int) -> list[Offer]:
    """Return every way to send these goods to this country, the usual one first."""
    return [
        Offer(
            method=method,
            name=str(name),
            takes=str(takes),
            price=shipping_price(method=method, country=country, subtotal=subtotal),
        )
        for method, name, takes in _WAYS
    ]


def shipping_name(*, method: str) -> str:
    """Return what a method is called in the page's language."""
    return next((str(name) for known, name, _ in _WAYS if known == method), method)


def _zone(*, country: str) -> str:
    if country == _HOME:
        return "home"
    return "beyond" if country in _BEYOND_THE_UNION else "union"
