"""What the templates of the shop say in their own words: money, the basket's count."""

from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import get_language

from events.money import format_money
from notifications.notices import count_unread
from shop.accounts import account_of
from shop.cart import count_pieces
from shop.countries import DELIVERY_COUNTRIES
from shop.shipping import shipping_name
from shop.wishlist import is_saved

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """Write minor units as a price: `{{ line.total|money:line.currency }}`."""
    return format_money(amount=amount, currency=currency, language=get_language() or "en")


@register.filter
def percent(basis_points: int) -> str:
    """Write a rate in basis points as a number of percent in the page's language: 550 is 5.5, or 5,5."""
    places = 0 if basis_points % 100 == 0 else 1 if basis_points % 10 == 0 else 2
    return number_format(Decimal(basis_points) / 100, decimal_pos=places)


@register.filter
def shipping(method: str) -> str:
    """Write what a way of delivery is called."""
    return shipping_name(method=method)


@register.simple_tag(takes_context=True)
def basket_count(context: dict[str, Any]) -> int:
    """Return how many pieces lie in the visitor's basket; none where a page has no session."""
    session = getattr(context.get("request"), "session", None)
    return count_pieces(session=session) if session is not None else 0


@register.simple_tag(takes_context=True)
def unread_notices(context: dict[str, Any]) -> int:
    """Return how many notices the signed-in buyer has not read."""
    account = account_of(session=context["request"].session)
    return count_unread(buyer_id=account) if account else 0


@register.simple_tag
def bell_address() -> str:
    """Return where the bell's socket is."""
    return f"{settings.LIVE_URL}/ws/notifications/"


@register.simple_tag(takes_context=True)
def saved(context: dict[str, Any], sku: str) -> bool:
    """Say whether a product is on the visitor's wish list."""
    return is_saved(session=context["request"].session, sku=sku)


@register.filter
def country_name(code: str) -> str:
    """Write a country's name; a code that parcels do not go to stays as it is."""
    return str(dict(DELIVERY_COUNTRIES).get(code, code))
