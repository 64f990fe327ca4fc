"""The ledger of mails: entered before sending, settled after it, one for each order and kind."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from events import Cause, Outgoing, Received, publish_all
from events.declaration import Event, Fact, declaration_of, find_declaration
from events.notifications import BuyerNotified, EmailSent
from events.orders import OrderPlaced
from notifications.letters import kind_of
from notifications.mails import Mail, write_mail
from notifications.models import Email, Recipient
from notifications.notices import keep_notices
from notifications.sending import Outcome, Refused, Sent
from workers import Performed

_AT_ONCE = 200
_TRY_AGAIN_AFTER = timedelta(minutes=1)

# Rows that are there and not yet settled take the new words and are returned like new ones: their mail is sent.
_ENTER = """
    INSERT INTO notifications_email AS email
        (id, order_id, kind, event_id, status, "to", subject, text, overtook, next_try_at, failure, created_at)
    SELECT *, '', now()
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::jsonb[], %s::timestamptz[])
    ON CONFLICT (order_id, kind) DO UPDATE
    SET "to" = excluded."to", subject = excluded.subject, text = excluded.text
    WHERE email.status = 'queued' AND excluded.status = 'queued'
    RETURNING order_id
"""
_SETTLE = """
    UPDATE notifications_email AS email
    SET status = settled.status,
        failure = settled.failure,
        sent_at = CASE settled.status WHEN 'sent' THEN now() END,
        overtook = NULL,
        next_try_at = NULL
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS settled (order_id, kind, status, failure)
    WHERE email.order_id = settled.order_id AND email.kind = settled.kind
      AND email.status IN ('queued', 'waiting')
    RETURNING email.id, email.order_id, email.kind
"""


class Overtaking(msgspec.Struct, frozen=True, kw_only=True):
    """An event that came here before the placing of its order did, as the row of its mail keeps it."""

    type: str
    data: Any
    cause: Cause


def begin_mails(*, events: Sequence[Received[Event]]) -> list[Mail | None]:
    """Enter a mail for each event and return what to send; None where there is nothing to send now.

    That is so where the order had its mail of that kind, and where nobody knows yet whom to write to.
    """
    _meet(orders=[event.data for event in events if isinstance(event.data, OrderPlaced)])
    recipients = Recipient.objects.in_bulk([event.order_id for event in events])
    mails = {
        event.order_id: write_mail(recipient=recipients[event.order_id], event=event.data, cause=event.cause)
        for event in events
        if event.order_id in recipients
    }
    entered = _enter(events=events, mails=mails)
    keep_notices(mails=[mail for order_id, mail in mails.items() if order_id in entered])
    return [mails.get(event.order_id) if event.order_id in entered else None for event in events]


def begin_overtaking_mails() -> list[Mail]:
    """Return the mails that waited for the placing of their order and can go now; their next turn is put off."""
    now = timezone.now()
    waiting = Email.objects.select_for_update(skip_locked=True).filter(
        status=Email.Status.WAITING, next_try_at__lte=now, order_id__in=Recipient.objects.values("order_id")
    )
    emails = list(waiting.order_by("next_try_at")[:_AT_ONCE])
    recipients = Recipient.objects.in_bulk([email.order_id for email in emails])
    mails = [_write_waiting(email=email, recipient=recipients[email.order_id]) for email in emails]
    for email, mail in zip(emails, mails, strict=True):
        email.to, email.subject, email.text = mail.to, mail.subject, mail.text
        email.next_try_at = now + _TRY_AGAIN_AFTER
    Email.objects.bulk_update(emails, ["to", "subject", "text", "next_try_at"])
    keep_notices(mails=mails)
    return mails


def settle_mails(*, results: Sequence[Performed[Event, Mail, Outcome]]) -> None:
    """Write down what became of the mails, and publish those that left; a mail is settled once.

    Buyers with an account have a notice of it, whatever the mail server said: they are told in the same breath.
    """
    settled = {(order_id, kind): email_id for email_id, order_id, kind in _settle(results=results)}
    outgoing = []
    for result in results:
        mail = result.intent
        if email_id := settled.get((mail.order_id, mail.kind)):
            outgoing += _outgoing(mail=mail, email_id=email_id, outcome=result.outcome)
    publish_all(outgoing)


def _meet(*, orders: Sequence[OrderPlaced]) -> None:
    Recipient.objects.bulk_create(
        [
            Recipient(
                order_id=order.order_id,
                number=order.number,
                token=order.token,
                email=order.email,
                name=order.ship_to.name,
                lines=msgspec.to_builtins(order.lines),
                total=order.total,
                charges=msgspec.to_builtins(order.charges),
                currency=order.currency,
                language=order.language,
                buyer_id=order.buyer_id,
            )
            for order in orders
        ],
        ignore_conflicts=True,
    )


def _enter(*, events: Sequence[Received[Event]], mails: Mapping[UUID, Mail]) -> set[UUID]:
    """Write the rows, and return the orders whose mail is still to be sent."""
    rows = [_row(event=event, mail=mails.get(event.order_id)) for event in events]
    return {order_id for (order_id,) in _execute(_ENTER, rows)}


def _settle(*, results: Sequence[Performed[Event, Mail, Outcome]]) -> list[tuple[Any, ...]]:
    return _execute(_SETTLE, [_verdict(mail=result.intent, outcome=result.outcome) for result in results])


def _execute(statement: str, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
        return list(cursor.fetchall())


def _row(*, event: Received[Event], mail: Mail | None) -> tuple[Any, ...]:
    known = (uuid7(), event.order_id, kind_of(event=event.data), event.id)
    if mail is None:
        return (*known, Email.Status.WAITING, "", "", "", _overtaking(event=event), timezone.now())
    return (*known, Email.Status.QUEUED, mail.to, mail.subject, mail.text, None, None)


def _overtaking(*, event: Received[Event]) -> str:
    kept = Overtaking(type=declaration_of(type(event.data)).name, data=event.data, cause=event.cause)
    return msgspec.json.encode(kept).decode()


def _write_waiting(*, email: Email, recipient: Recipient) -> Mail:
    kept = msgspec.convert(email.overtook, Overtaking)
    declaration = find_declaration(name=kept.type)
    if declaration is None:
        raise LookupError(f"Nobody declares {kept.type} any more, which mail {email.id} tells of.")
    event = cast(Event, msgspec.convert(kept.data, declaration.struct))
    return write_mail(recipient=recipient, event=event, cause=kept.cause)


def _verdict(*, mail: Mail, outcome: Outcome) -> tuple[UUID, str, str, str]:
    if isinstance(outcome, Refused):
        return (mail.order_id, mail.kind, Email.Status.FAILED, outcome.reason)
    return (mail.order_id, mail.kind, Email.Status.SENT, "")


def _outgoing(*, mail: Mail, email_id: UUID, outcome: Outcome) -> list[Outgoing]:
    events: list[tuple[str, Fact]] = []
    if isinstance(outcome, Sent):
        events.append(("email", EmailSent(order_id=mail.order_id, email_id=email_id, kind=mail.kind)))
    if mail.buyer_id is not None:
        notified = BuyerNotified(account_id=mail.buyer_id, order_id=mail.order_id, kind=mail.kind)
        events.append(("notice", notified))
    return [
        Outgoing(event=event, aggregate_type=aggregate, aggregate_id=email_id, version=1, cause=mail.cause)
        for aggregate, event in events
    ]
