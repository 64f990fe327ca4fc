"""What others may know of the mails: frozen values, never rows."""

from datetime import datetime
from uuid import UUID

import msgspec

from notifications.models import Email


class EmailValue(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to a buyer; `sent_at` is None until the mail server has taken it."""

    id: UUID
    kind: str
    status: str
    to: str
    subject: str
    sent_at: datetime | None


def emails_of_order(*, order_id: UUID) -> tuple[EmailValue, ...]:
    """Return the mails about an order, oldest first."""
    emails = Email.objects.filter(order_id=order_id).order_by("created_at", "id")
    return tuple(_value(email=email) for email in emails)


def _value(*, email: Email) -> EmailValue:
    return EmailValue(
        id=email.id,
        kind=email.kind,
        status=email.status,
        to=email.to,
        subject=email.subject,
        sent_at=email.sent_at,
    )
