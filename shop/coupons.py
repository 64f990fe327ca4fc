"""Coupons: what a code takes off, and that it is used no more often than it may be.

An order with a coupon is placed in the transaction that holds the coupon's row, so that of two buyers who want the
last use at the same time one gets it. The use is given back when the order ends without a sale.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.services import PlacedOrder, place_order
from shop.models import Coupon, CouponUse
from shop.shipping import Method
from shop.sums import reckon


class CouponRefused(ValueError):
    """This coupon does not hold for this order; the message tells the buyer why."""


def read_code(*, text: str) -> str:
    """Return a code as coupons have it, however the buyer wrote it."""
    return text.strip().upper()


def quote_discount(*, code: str, email: str, subtotal: int) -> int:
    """Return what the code would take off goods worth `subtotal`, in minor units; raises `CouponRefused`."""
    return _discount(coupon=_find(code=code, is_locked=False), email=email, subtotal=subtotal)


def place_with_coupon(
    *, code: str, subtotal: int, country: str, method: Method, email: str, **order: Any
) -> PlacedOrder:
    """Use the coupon and place the order, both or neither; `order` is what `orders.services.place_order` takes.

    Raises `CouponRefused`, also where this very request has used it up before, and what placing raises.
    """
    with transaction.atomic():
        coupon = _find(code=code, is_locked=True)
        discount = _discount(coupon=coupon, email=email, subtotal=subtotal)
        charges = reckon(
            subtotal=subtotal, country=country, method=method, coupon=coupon.code, discount=discount
        )
        placed = place_order(email=email, charges=charges, **order)
        _use(coupon=coupon, order_id=placed.order_id, email=email)
    return placed


@transaction.atomic
def give_back(*, order_ids: Iterable[UUID]) -> None:
    """Let the coupons of these orders be used by others; an order gives its use back once."""
    found = CouponUse.objects.filter(order_id__in=list(order_ids), given_back_at=None)
    coupon_ids = sorted(set(found.values_list("coupon_id", flat=True)))
    for coupon in Coupon.objects.select_for_update().filter(pk__in=coupon_ids).order_by("pk"):
        given_back = found.filter(coupon=coupon).update(given_back_at=timezone.now())
        Coupon.objects.filter(pk=coupon.pk).update(uses=F("uses") - given_back)


def _find(*, code: str, is_locked: bool) -> Coupon:
    coupons = Coupon.objects.select_for_update() if is_locked else Coupon.objects.all()
    coupon = coupons.filter(code=code).first() if "\x00" not in code else None
    if coupon is None:
        raise CouponRefused(_("We do not know this code."))
    return coupon


def _discount(*, coupon: Coupon, email: str, subtotal: int) -> int:
    """Return what the coupon takes off; a part of a cent stays with the shop."""
    now = timezone.now()
    if coupon.starts_at > now or (coupon.ends_at and coupon.ends_at <= now):
        raise CouponRefused(_("This code does not hold today."))
    if coupon.most_uses is not None and coupon.uses >= coupon.most_uses:
        raise CouponRefused(_("This code has been used up."))
    if subtotal < coupon.minimum_subtotal:
        raise CouponRefused(_("Your basket is too small for this code."))
    if coupon.most_uses_each is not None and _uses_by(coupon=coupon, email=email) >= coupon.most_uses_each:
        raise CouponRefused(_("You have used this code already."))
    return coupon.amount if coupon.amount is not None else subtotal * (coupon.percent or 0) // 100


def _uses_by(*, coupon: Coupon, email: str) -> int:
    return CouponUse.objects.filter(coupon=coupon, email=email.lower(), given_back_at=None).count()


def _use(*, coupon: Coupon, order_id: UUID, email: str) -> None:
    # The same request a second time is the same order, and the same use.
    _known, is_new = CouponUse.objects.get_or_create(
        order_id=order_id, defaults={"coupon": coupon, "email": email.lower()}
    )
    if is_new:
        Coupon.objects.filter(pk=coupon.pk).update(uses=F("uses") + 1)
