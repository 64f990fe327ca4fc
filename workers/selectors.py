"""What others may know of the runtime: why an order does not go on."""

from datetime import datetime
from uuid import UUID

import msgspec

from workers.models import DeadLetter, ParkedEvent


class HeldUp(msgspec.Struct, frozen=True, kw_only=True):
    """An event of one order that a worker could not handle.

    `next_try_at` is None for a dead letter: it waits for staff.
    """

    worker: str
    event_type: str
    attempts: int
    next_try_at: datetime | None


def events_held_up(*, order_id: UUID) -> tuple[HeldUp, ...]:
    """Return what the workers could not handle of this order yet, dead letters first."""
    key = str(order_id).encode()
    dead = DeadLetter.objects.filter(key=key, status=DeadLetter.Status.OPEN).order_by("id")
    parked = ParkedEvent.objects.filter(parked_key__key=key, parked_key__due_at__isnull=False)
    firsts = parked.select_related("parked_key").order_by("parked_key_id", "id").distinct("parked_key_id")
    return (
        *(_held_up(event=letter, next_try_at=None) for letter in dead),
        *(_held_up(event=event, next_try_at=event.parked_key.due_at) for event in firsts),
    )


def _held_up(*, event: DeadLetter | ParkedEvent, next_try_at: datetime | None) -> HeldUp:
    return HeldUp(
        worker=event.consumer,
        event_type=event.event_type,
        attempts=event.attempts,
        next_try_at=next_try_at,
    )
