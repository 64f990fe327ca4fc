"""A letter made ready to send: addressed, as text and as HTML."""

from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.template.loader import render_to_string

from events import Cause
from events.declaration import Event
from events.money import format_money
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


def write_mail(*, recipient: Recipient, event: Event, cause: Cause) -> Mail:
    """Return the mail that tells a buyer of an event."""
    letter = write_letter(recipient=recipient, event=event)
    context = {"letter": letter, "order": _order(recipient=recipient)}
    return Mail(
        order_id=recipient.order_id,
        kind=kind_of(event=event),
        to=recipient.email,
        subject=letter.subject,
        text=render_to_string("notifications/letter.txt", context),
        html=render_to_string("notifications/letter.html", context),
        cause=cause,
    )


def message_of(*, mail: Mail) -> LetterMessage:
    """Return the mail as Django sends it."""
    message_id = message_id_of(order_id=mail.order_id, kind=mail.kind)
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    message = LetterMessage(subject=mail.subject, body=mail.text, to=[mail.to], headers=headers)
    message.attach_alternative(mail.html, "text/html")
    return message


def _order(*, recipient: Recipient) -> dict[str, Any]:
    return {
        "number": recipient.number,
        "page": f"{settings.SHOP_URL}/orders/{recipient.token}/",
        "total": format_money(amount=recipient.total, currency=recipient.currency),
        "lines": [_line(line=line, currency=recipient.currency) for line in recipient.lines],
    }


def _line(*, line: dict[str, Any], currency: str) -> dict[str, Any]:
    price = format_money(amount=line["unit_price"] * line["quantity"], currency=currency)
    return {"title": line["title"], "quantity": line["quantity"], "price": price}
