"""Absolute addresses, for callers that have no page to be relative to."""

from django.conf import settings
from msgspec import UNSET

from shop.apis.values import OrderLinks


def absolute(path: str) -> str:
    """Return the address of a path of the shop."""
    return f"{settings.SHOP_URL}{path}"


def order_path(*, token: str) -> str:
    """Return the path of an order in the API."""
    return f"/api/v1/orders/{token}/"


def order_links(*, token: str, approve_url: str = "") -> OrderLinks:
    """Return where the order can be read, seen and watched."""
    path = absolute(order_path(token=token))
    return OrderLinks(
        self_=path,
        timeline=f"{path}timeline/",
        page=absolute(f"/orders/{token}/"),
        live=f"{_live_root()}/ws/orders/{token}/",
        approve=approve_url or UNSET,
    )


def _live_root() -> str:
    # http becomes ws, https becomes wss.
    return settings.LIVE_URL or "ws" + settings.SHOP_URL.removeprefix("http")
