"""A letter made ready to send: addressed, as text and as HTML."""

from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from events import Cause
from events.declaration import Event
from events.money import format_money
from events.values import Charges
from notifications.layout import Enclosure, Row, as_html, as_text
from notifications.letters import kind_of, write_letter
from notifications.mime import LetterMessage
from notifications.models import Recipient, message_id_of


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """All that it takes to send a mail, and to settle it in the ledger afterwards."""

    order_id: UUID
    kind: str
    to: str
    subject: str
    text: str
    html: str
    cause: Cause
    buyer_id: int | None


def write_mail(*, recipient: Recipient, event: Event, cause: Cause) -> Mail:
    """Return the mail that tells a buyer of an event, in the language of the order."""
    with translation.override(recipient.language):
        return _write(recipient=recipient, event=event, cause=cause)


def message_of(*, mail: Mail) -> LetterMessage:
    """Return the mail as Django sends it."""
    message_id = message_id_of(order_id=mail.order_id, kind=mail.kind)
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    message = LetterMessage(subject=mail.subject, body=mail.text, to=[mail.to], headers=headers)
    message.attach_alternative(mail.html, "text/html")
    return message


def _write(*, recipient: Recipient, event: Event, cause: Cause) -> Mail:
    letter, order = write_letter(recipient=recipient, event=event), _enclosure(recipient=recipient)
    return Mail(
        order_id=recipient.order_id,
        kind=kind_of(event=event),
        to=recipient.email,
        subject=letter.subject,
        text=as_text(letter=letter, order=order),
        html=as_html(letter=letter, order=order, language=recipient.language),
        cause=cause,
        buyer_id=recipient.buyer_id,
    )


def _enclosure(*, recipient: Recipient) -> Enclosure:
    return Enclosure(
        number=recipient.number,
        page=f"{settings.SHOP_URL}/orders/{recipient.token}/",
        rows=[_row(line=line, recipient=recipient) for line in recipient.lines],
        charges=_charges(recipient=recipient),
        total=_price(amount=recipient.total, recipient=recipient),
        tax=_tax(recipient=recipient),
    )


def _row(*, line: dict[str, Any], recipient: Recipient) -> Row:
    amount = line["unit_price"] * line["quantity"]
    return Row(
        title=line["title"],
        quantity=line["quantity"],
        price=_price(amount=amount, recipient=recipient),
    )


def _charges(*, recipient: Recipient) -> list[tuple[str, str]]:
    """Return what stands between the books and the total; nothing of an order of before there was anything."""
    if not recipient.charges:
        return []
    charges = msgspec.convert(recipient.charges, Charges)
    shipping = _price(amount=charges.shipping, recipient=recipient) if charges.shipping else _("free")
    told = [(_("Delivery"), shipping)]
    if charges.discount:
        discount = _price(amount=-charges.discount, recipient=recipient)
        told.insert(0, (_("Coupon %(code)s") % {"code": charges.coupon}, discount))
    return told


def _tax(*, recipient: Recipient) -> str:
    tax = recipient.charges.get("tax", 0)
    if not tax:
        return ""
    return _("including %(tax)s VAT") % {"tax": _price(amount=tax, recipient=recipient)}


def _price(*, amount: int, recipient: Recipient) -> str:
    return format_money(amount=amount, currency=recipient.currency, language=recipient.language)
