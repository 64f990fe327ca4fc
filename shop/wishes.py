"""Wishes that come true: whose they are, and the mail that tells it, once for each change of the product."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from accounts.letters import Letter
from accounts.selectors import emails_of
from events import Outgoing, Received, publish_all
from events.money import format_money
from events.products import PriceChanged
from events.stock import StockArrived
from events.wishlists import Reason, WishCameTrue
from notifications.mime import LetterMessage
from shop.models import Product, Wish
from shop.selectors import ProductPrice, products_by_sku

# Pieces that are held for orders and let go again come and go; who waits hears of it once a day at most.
QUIET = timedelta(days=1)


class WishMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that is ready to leave."""

    to: str
    message: LetterMessage


def tell_lower_price(*, event: Received[PriceChanged]) -> None:
    """Publish each wish whose owner has not heard of a price as low as this."""
    change = event.data
    waiting = Wish.objects.select_for_update().filter(sku=change.sku, told_price__gt=change.now)
    wishes = list(waiting.order_by("id"))
    Wish.objects.filter(pk__in=[wish.pk for wish in wishes]).update(told_price=change.now)
    _publish(wishes=wishes, reason="price_dropped", heard=event, price=change.now, currency=change.currency)


def tell_stock(*, event: Received[StockArrived]) -> None:
    """Publish each wish for a product that is back and still sold, unless its owner heard so within a day."""
    product = Product.objects.filter(sku=event.data.sku, is_active=True).first()
    if product is None:
        return
    now = timezone.now()
    quiet = Q(stock_told_at=None) | Q(stock_told_at__lt=now - QUIET)
    wishes = list(Wish.objects.select_for_update().filter(quiet, sku=product.sku).order_by("id"))
    Wish.objects.filter(pk__in=[wish.pk for wish in wishes]).update(stock_told_at=now)
    _publish(
        wishes=wishes,
        reason="back_in_stock",
        heard=event,
        price=product.price_amount,
        currency=product.currency,
    )


def write_mails(*, events: Sequence[Received[WishCameTrue]]) -> list[WishMail | None]:
    """Return the mail for each event; None where wish, product or account is gone."""
    products = products_by_sku(skus=[event.data.sku for event in events])
    emails = emails_of(user_ids=[event.data.account_id for event in events])
    still = _still_wished(events=events)
    return [
        _write(event=event, product=products.get(event.data.sku), to=emails.get(event.data.account_id, ""))
        if (event.data.account_id, event.data.sku) in still
        else None
        for event in events
    ]


def _publish(
    *,
    wishes: Iterable[Wish],
    reason: Reason,
    heard: Received[PriceChanged] | Received[StockArrived],
    price: int,
    currency: str,
) -> None:
    publish_all(
        [
            Outgoing(
                event=WishCameTrue(
                    sku=wish.sku, account_id=wish.user_id, reason=reason, price=price, currency=currency
                ),
                aggregate_type="wish",
                aggregate_id=uuid7(),
                version=1,
                cause=heard.cause,
            )
            for wish in wishes
        ]
    )


def _still_wished(*, events: Sequence[Received[WishCameTrue]]) -> set[tuple[int, str]]:
    rows = Wish.objects.filter(
        user_id__in={event.data.account_id for event in events}, sku__in={event.data.sku for event in events}
    )
    return set(rows.values_list("user_id", "sku"))


def _write(*, event: Received[WishCameTrue], product: ProductPrice | None, to: str) -> WishMail | None:
    if not product or not product.is_active or not to:
        return None
    context = {"letter": _letter(wish=event.data, product=product)}
    message = LetterMessage(
        subject=context["letter"].subject,
        body=render_to_string("account/email/letter.txt", context),
        to=[to],
        headers={"Message-ID": _message_id(event_id=event.id), "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string("account/email/letter.html", context), "text/html")
    return WishMail(to=to, message=message)


def _letter(*, wish: WishCameTrue, product: ProductPrice) -> Letter:
    words = {"title": product.title, "price": format_money(amount=wish.price, currency=wish.currency)}
    if wish.reason == "price_dropped":
        subject = _("%(title)s costs %(price)s now")
        said = _("A book on your wish list has become cheaper: %(title)s is %(price)s now.")
    else:
        subject = _("%(title)s is back")
        said = _("A book on your wish list is on our shelves again: %(title)s, for %(price)s.")
    return Letter(
        subject=subject % words,
        headline=subject % words,
        paragraphs=(said % words, _("You get this mail because the book is on your wish list.")),
        button=_("Look at the book"),
        link=settings.SHOP_URL + reverse("shop:product", args=[product.slug]),
    )


def _message_id(*, event_id: UUID) -> str:
    domain = settings.DEFAULT_FROM_EMAIL.rstrip(">").rpartition("@")[2]
    return f"<{event_id}.wish@{domain}>"
