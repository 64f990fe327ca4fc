"""The inbox: each consumer takes each event once.

The row is written in the transaction of the effect. A record delivered again, after a crash, a rebalance or a
reset of offsets, finds its row and is dropped.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from workers import parked
from workers.batch import Source
from workers.record import Delivery
from workers.worker import Worker

_TAKE = """
    INSERT INTO workers_inboxentry (consumer, event_id)
    SELECT %s, unnest(%s::uuid[])
    ON CONFLICT DO NOTHING
    RETURNING event_id
"""
_SEEN = "SELECT event_id FROM workers_inboxentry WHERE consumer = %s AND event_id = ANY(%s)"


def _claim(worker: Worker, deliveries: Sequence[Delivery]) -> set[UUID]:
    taken = take(worker=worker, event_ids=[delivery.event_id for delivery in deliveries])
    fresh = [delivery for delivery in deliveries if delivery.event_id in taken]
    return taken - parked.queue_behind(worker=worker, deliveries=fresh)


def _seen(worker: Worker, deliveries: Sequence[Delivery]) -> set[UUID]:
    seen = handled(worker=worker, event_ids=[delivery.event_id for delivery in deliveries])
    fresh = [delivery for delivery in deliveries if delivery.event_id not in seen]
    waiting = parked.queue_behind(worker=worker, deliveries=fresh)
    take(worker=worker, event_ids=list(waiting))
    return seen | waiting


def _give_up(worker: Worker, delivery: Delivery, error: BaseException) -> None:
    with transaction.atomic():
        if take(worker=worker, event_ids=[delivery.event_id]):
            parked.put_away(worker=worker, delivery=delivery, error=error)


def _set_aside(worker: Worker, delivery: Delivery) -> bool:
    with transaction.atomic():
        fresh = take(worker=worker, event_ids=[delivery.event_id])
        return bool(fresh) and parked.wait_for_call(worker=worker, delivery=delivery)


def handled(*, worker: Worker, event_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these events the worker has taken on already."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [worker.name, list(event_ids)])
        return {event_id for (event_id,) in cursor.fetchall()}


def take(*, worker: Worker, event_ids: Sequence[UUID]) -> set[UUID]:
    """Write the inbox rows of these events and return the ids that were not there before."""
    if not event_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [worker.name, list(event_ids)])
        return {event_id for (event_id,) in cursor.fetchall()}


KAFKA = Source(claim=_claim, seen=_seen, give_up=_give_up, set_aside=_set_aside)
