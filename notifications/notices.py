"""Notices: what the mails say, kept for a buyer's own pages, and which of it they have seen."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from notifications.mails import Mail
from notifications.models import Email, Notice, Recipient

_LATEST = 50
_WORDS = {
    Email.Kind.PLACED: gettext_noop("We have your order"),
    Email.Kind.CONFIRMED: gettext_noop("Paid, and on our packing table"),
    Email.Kind.DECLINED: gettext_noop("Your card was declined"),
    Email.Kind.ACTION_REQUIRED: gettext_noop("Your bank wants a word with you"),
    Email.Kind.DISPATCHED: gettext_noop("Your parcel is on its way"),
    Email.Kind.DELIVERED: gettext_noop("Your books have arrived"),
    Email.Kind.REJECTED: gettext_noop("Your order has ended without a sale"),
    Email.Kind.CANCELLED: gettext_noop("Your order is cancelled"),
    Email.Kind.REFUNDED: gettext_noop("Your money is on its way back"),
}


class NoticeValue(msgspec.Struct, frozen=True, kw_only=True):
    """One notice as its buyer sees it, about the order with this number and token."""

    kind: str
    number: str
    token: str
    created_at: datetime
    is_read: bool

    @property
    def told(self) -> str:
        """What happened, in the language of the page."""
        return _(_WORDS[Email.Kind(self.kind)])


def keep_notices(*, mails: Iterable[Mail]) -> None:
    """Keep a notice for each mail whose buyer has an account, with one statement for all of them."""
    Notice.objects.bulk_create(
        [
            Notice(order_id=mail.order_id, kind=mail.kind, buyer_id=mail.buyer_id)
            for mail in mails
            if mail.buyer_id is not None
        ],
        ignore_conflicts=True,
    )


def count_unread(*, buyer_id: int) -> int:
    """Return how many notices of an account are unread."""
    return Notice.objects.filter(buyer_id=buyer_id, read_at=None).count()


def latest_notices(*, buyer_id: int) -> tuple[NoticeValue, ...]:
    """Return the latest notices of an account, newest first."""
    rows = Notice.objects.filter(buyer_id=buyer_id).order_by("-created_at", "-id")[:_LATEST]
    notices = list(rows)
    orders = Recipient.objects.only("number", "token").in_bulk({notice.order_id for notice in notices})
    return tuple(_value(notice=notice, order=orders[notice.order_id]) for notice in notices)


def mark_all_read(*, buyer_id: int) -> None:
    """Take every notice of an account as read."""
    Notice.objects.filter(buyer_id=buyer_id, read_at=None).update(read_at=timezone.now())


def mark_order_read(*, buyer_id: int, token: str) -> None:
    """Take the notices about one order as read; those of another account stay as they are."""
    orders = Recipient.objects.filter(token=token, buyer_id=buyer_id).values("order_id")
    unread = Notice.objects.filter(buyer_id=buyer_id, read_at=None)
    unread.filter(order_id__in=orders).update(read_at=timezone.now())


def _value(*, notice: Notice, order: Recipient) -> NoticeValue:
    return NoticeValue(
        kind=notice.kind,
        number=order.number,
        token=order.token,
        created_at=notice.created_at,
        is_read=notice.read_at is not None,
    )
