"""What the templates of the shop say in their own words: money, the basket's count."""

from typing import Any

from django import template
from django.utils.translation import get_language

from events.money import format_money
from shop.cart import count_pieces
from shop.countries import DELIVERY_COUNTRIES
from shop.wishlist import is_saved

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """Write minor units as a price: `{{ line.total|money:line.currency }}`."""
    return format_money(amount=amount, currency=currency, language=get_language() or "en")


@register.simple_tag(takes_context=True)
def basket_count(context: dict[str, Any]) -> int:
    """Return how many pieces lie in the visitor's basket; none where a page has no session."""
    session = getattr(context.get("request"), "session", None)
    return count_pieces(session=session) if session is not None else 0


@register.simple_tag(takes_context=True)
def saved(context: dict[str, Any], sku: str) -> bool:
    """Say whether a product is on the visitor's wish list."""
    return is_saved(session=context["request"].session, sku=sku)


@register.filter
def country_name(code: str) -> str:
    """Write a country's name; a code that parcels do not go to stays as it is."""
    return str(dict(DELIVERY_COUNTRIES).get(code, code))
