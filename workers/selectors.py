"""What others may know of the runtime: why an order does not go on."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db.models import Q
from django.utils import timezone

from events.models import OutboxEvent
from events.outbox import shard_of
from workers.models import DeadLetter, ParkedEvent

_OPEN, _DISCARDED = DeadLetter.Status.OPEN, DeadLetter.Status.DISCARDED
_SENT_WITHIN = timedelta(minutes=1)


class HeldUp(msgspec.Struct, frozen=True, kw_only=True):
    """An event of one order that a worker could not handle.

    `next_try_at` is None for a dead letter: it waits for staff, unless they have discarded it.
    """

    worker: str
    event_type: str
    attempts: int
    next_try_at: datetime | None
    is_discarded: bool = False


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of one order that has been in the outbox for long; `blocked_reason` is empty if it may still leave."""

    event_type: str
    since: datetime
    blocked_reason: str


def events_held_up(*, order_id: UUID) -> tuple[HeldUp, ...]:
    """Return what the workers have not handled of this order: dead letters first, then what was discarded."""
    key = str(order_id).encode()
    given_up = DeadLetter.objects.filter(key=key, status__in=[_OPEN, _DISCARDED]).order_by("-status", "id")
    parked = ParkedEvent.objects.filter(parked_key__key=key, parked_key__due_at__isnull=False)
    firsts = parked.select_related("parked_key").order_by("parked_key_id", "id").distinct("parked_key_id")
    return (
        *(_held_up(event=letter, next_try_at=None) for letter in given_up),
        *(_held_up(event=event, next_try_at=event.parked_key.due_at) for event in firsts),
    )


def events_unsent(*, order_id: UUID) -> tuple[Unsent, ...]:
    """Return the events of this order that Kafka should have had a minute ago, or never takes; oldest first."""
    key = str(order_id).encode()
    rows = OutboxEvent.objects.filter(key=key, shard=shard_of(key=key)).order_by("id")
    late = rows.filter(Q(created_at__lt=timezone.now() - _SENT_WITHIN) | Q(blocked_at__isnull=False))
    return tuple(
        Unsent(event_type=row.type, since=row.created_at, blocked_reason=row.blocked_reason) for row in late
    )


def _held_up(*, event: DeadLetter | ParkedEvent, next_try_at: datetime | None) -> HeldUp:
    return HeldUp(
        worker=event.consumer,
        event_type=event.event_type,
        attempts=event.attempts,
        next_try_at=next_try_at,
        is_discarded=isinstance(event, DeadLetter) and event.status == _DISCARDED,
    )
