"""Events that wait: a line for each order and consumer, kept in Postgres so that the order's order holds.

The first of a line is tried again when it is due; everything that arrives for the order meanwhile goes to the
end of the line. Other orders flow.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from events.context import within
from workers import dead_letters, metrics
from workers.batch import Plan, Source, failed, handle, record
from workers.breaker import BreakerOpen
from workers.calls import Caller
from workers.failures import DependencyDown, FailureKind, kind_of
from workers.models import DeadLetter, ParkedEvent, ParkedKey
from workers.record import Delivery, open_record
from workers.worker import Worker

logger = logging.getLogger(__name__)

_LINES_AT_ONCE = 64
# How long a line stays out of reach after the process that tried it has died; living ones renew it.
_LEASE = timedelta(seconds=30)
_WAIT_FOR_DEPENDENCY = timedelta(seconds=2)

# By hand, since it is asked for every batch: an ORM query with hundreds of keys takes longer to write than to run.
_LOCK_LINES = """
    SELECT id, consumer, key, due_at, leased_until FROM workers_parkedkey
    WHERE consumer = %s AND key = ANY(%s) ORDER BY id FOR UPDATE
"""


def queue_behind(*, worker: Worker, deliveries: Sequence[Delivery]) -> set[UUID]:
    """In the caller's transaction: append those whose order is parked to its line, and return their ids."""
    lines = _lock_lines(worker=worker, keys={delivery.line for delivery in deliveries})
    waiting = [delivery for delivery in deliveries if delivery.line in lines]
    ParkedEvent.objects.bulk_create(
        [_parked_event(worker=worker, delivery=one, line=lines[one.line]) for one in waiting]
    )
    for delivery in waiting:
        metrics.records.labels(worker.name, delivery.record.topic, "parked").inc()
    return {delivery.event_id for delivery in waiting}


def put_away(*, worker: Worker, delivery: Delivery, error: BaseException) -> None:
    """In the caller's transaction: park an event that failed, or bury it if it can never succeed."""
    line, is_new = ParkedKey.objects.select_for_update().get_or_create(
        consumer=worker.name, key=delivery.line
    )
    event = _parked_event(worker=worker, delivery=delivery, line=line)
    event.save()
    metrics.records.labels(worker.name, delivery.record.topic, "parked").inc()
    if is_new:
        _fail(worker=worker, line=line, event=event, error=error)


def wait_for_call(*, worker: Worker, delivery: Delivery) -> bool:
    """In the caller's transaction: let the order wait while a call about it runs on.

    The line is leased, so that nobody tries it meanwhile; when this process dies, the lease runs out and the
    call is made again with the same key. Returns False when the order was parked already: then the event has
    gone to the end of the line, and the outcome of this call is not wanted.
    """
    line, is_new = ParkedKey.objects.select_for_update().get_or_create(
        consumer=worker.name,
        key=delivery.line,
        defaults={"due_at": timezone.now(), "leased_until": timezone.now() + _LEASE},
    )
    _parked_event(worker=worker, delivery=delivery, line=line).save()
    return is_new


def settle_calls(*, worker: Worker, caller: Caller[Plan]) -> None:
    """Record what came of the calls that were left running, and let their orders go on."""
    for plan, outcome in caller.take_finished():
        with within(plan.delivery.context):
            _settle(worker=worker, plan=plan, outcome=outcome)


def renew_leases(*, worker: Worker, caller: Caller[Plan]) -> None:
    """Keep the lines of the calls that run on out of others' reach; to be called well within 30 seconds."""
    keys = [plan.delivery.line for plan in caller.running]
    if keys:
        leased = ParkedKey.objects.filter(consumer=worker.name, key__in=keys, leased_until__isnull=False)
        leased.update(leased_until=timezone.now() + _LEASE)


def retry_due(*, worker: Worker, caller: Caller[Plan]) -> int:
    """Try the first event of every line that is due; return how many lines were tried."""
    lines = _lease_due_lines(worker=worker)
    if not lines:
        return 0
    firsts = _first_events(lines=lines)
    for again in (event for event in firsts if event.attempts):
        metrics.records.labels(worker.name, again.topic, "retried").inc()
    deliveries = [open_record(worker=worker, record=event.record) for event in firsts]
    down = _handle(worker=worker, deliveries=deliveries, caller=caller)
    running = {plan.delivery.line for plan in caller.running}
    settled = [line for line in lines if bytes(line.key) not in running]
    if down:
        logger.warning("%s: parked events wait: %s is down", worker.name, down)
        _postpone(lines=settled)
    _let_go(lines=settled)
    return len(lines)


def _handle(*, worker: Worker, deliveries: Sequence[Delivery], caller: Caller[Plan]) -> DependencyDown | None:
    try:
        handle(worker=worker, deliveries=deliveries, source=_PARKED, caller=caller)
    except DependencyDown as down:
        return down
    return None


def _claim(worker: Worker, deliveries: Sequence[Delivery]) -> set[UUID]:
    ids = [delivery.event_id for delivery in deliveries]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM workers_parkedevent WHERE consumer = %s AND event_id = ANY(%s) RETURNING event_id",
            [worker.name, ids],
        )
        claimed = {event_id for (event_id,) in cursor.fetchall()}
    dead_letters.resolve(worker=worker, event_ids=claimed)
    return claimed


def _seen(worker: Worker, deliveries: Sequence[Delivery]) -> set[UUID]:
    ids = {delivery.event_id for delivery in deliveries}
    waiting = ParkedEvent.objects.filter(consumer=worker.name, event_id__in=ids)
    return ids - set(waiting.values_list("event_id", flat=True))


def _give_up(worker: Worker, delivery: Delivery, error: BaseException) -> None:
    with transaction.atomic():
        line = ParkedKey.objects.select_for_update().filter(consumer=worker.name, key=delivery.line).first()
        event = ParkedEvent.objects.filter(consumer=worker.name, event_id=delivery.event_id).first()
        if line and event:
            _fail(worker=worker, line=line, event=event, error=error)


def _set_aside(_worker: Worker, _delivery: Delivery) -> bool:
    return True  # it stands in its line already, and the line is leased


_PARKED = Source(claim=_claim, seen=_seen, give_up=_give_up, set_aside=_set_aside)


def _settle(*, worker: Worker, plan: Plan, outcome: Any) -> None:
    line = ParkedKey.objects.filter(consumer=worker.name, key=plan.delivery.line).first()
    if line is None:
        return
    if isinstance(outcome, DependencyDown):
        _postpone(lines=[line])
    else:
        _settle_known(worker=worker, line=line, plan=plan, outcome=outcome)
    _let_go(lines=[line])


def _settle_known(*, worker: Worker, line: ParkedKey, plan: Plan, outcome: Any) -> None:
    try:
        if failed(outcome):
            _give_up(worker, plan.delivery, outcome)
        else:
            _record_late(worker=worker, plan=plan, outcome=outcome)
    except BreakerOpen:
        _postpone(lines=[line])


def _record_late(*, worker: Worker, plan: Plan, outcome: Any) -> None:
    try:
        record(worker=worker, done=[(plan, outcome)], source=_PARKED)
    except Exception as error:
        if kind_of(error) is FailureKind.DEPENDENCY_DOWN:
            raise DependencyDown("database") from error
        _give_up(worker, plan.delivery, error)


def _fail(*, worker: Worker, line: ParkedKey, event: ParkedEvent, error: BaseException) -> None:
    worker.breaker.failed(line=bytes(line.key), error=error, is_first_try=event.attempts == 0)
    now = timezone.now()
    event.attempts += 1
    event.first_failed_at = event.first_failed_at or now
    event.last_failed_at = now
    event.error = f"{type(error).__qualname__}: {error}"[:1000]
    event.save()
    reason = _hopeless(event=event, error=error)
    if reason:
        dead_letters.bury(worker=worker, line=line, event=event, error=error, reason=reason)
    else:
        _wait_for_next_try(worker=worker, line=line, event=event)


def _wait_for_next_try(*, worker: Worker, line: ParkedKey, event: ParkedEvent) -> None:
    delay = settings.RETRY_DELAYS[event.attempts - 1]
    line.due_at = timezone.now() + timedelta(seconds=delay)
    line.leased_until = None
    line.save()
    logger.warning(
        "%s: %s of %s parked for %s s after attempt %d: %s",
        worker.name,
        event.event_type,
        line,
        delay,
        event.attempts,
        event.error,
    )


def _hopeless(*, event: ParkedEvent, error: BaseException) -> DeadLetter.Reason | None:
    match kind_of(error):
        case FailureKind.POISON:
            return DeadLetter.Reason.POISON
        case FailureKind.PERMANENT:
            return DeadLetter.Reason.PERMANENT
    retried_by_staff = dead_letters.is_being_retried(event=event)
    if retried_by_staff or event.attempts > len(settings.RETRY_DELAYS):
        return DeadLetter.Reason.EXHAUSTED
    return None


def _lock_lines(*, worker: Worker, keys: set[bytes]) -> dict[bytes, ParkedKey]:
    lines = ParkedKey.objects.raw(_LOCK_LINES, [worker.name, list(keys)])
    return {bytes(line.key): line for line in lines}


@transaction.atomic
def _lease_due_lines(*, worker: Worker) -> list[ParkedKey]:
    now = timezone.now()
    due = ParkedKey.objects.select_for_update(skip_locked=True).filter(consumer=worker.name, due_at__lte=now)
    free = due.exclude(leased_until__gt=now).order_by("due_at")
    lines = list(free[:_LINES_AT_ONCE])
    ParkedKey.objects.filter(id__in=[line.id for line in lines]).update(leased_until=now + _LEASE)
    return lines


def _first_events(*, lines: Sequence[ParkedKey]) -> list[ParkedEvent]:
    waiting = ParkedEvent.objects.filter(parked_key__in=[line.id for line in lines])
    return list(waiting.order_by("parked_key_id", "id").distinct("parked_key_id"))


def _postpone(*, lines: Sequence[ParkedKey]) -> None:
    leased = ParkedKey.objects.filter(id__in=[line.id for line in lines], leased_until__isnull=False)
    leased.update(due_at=timezone.now() + _WAIT_FOR_DEPENDENCY, leased_until=None)


@transaction.atomic
def _let_go(*, lines: Sequence[ParkedKey]) -> None:
    # Two statements on purpose: the second sees what was appended while the first waited for its locks.
    leased = ParkedKey.objects.select_for_update().filter(
        id__in=[line.id for line in lines], leased_until__isnull=False
    )
    ids = [line.id for line in leased.order_by("id")]
    ParkedKey.objects.filter(id__in=ids, events__isnull=True).delete()
    ParkedKey.objects.filter(id__in=ids).update(due_at=timezone.now(), leased_until=None)


def _parked_event(*, worker: Worker, delivery: Delivery, line: ParkedKey) -> ParkedEvent:
    record = delivery.record
    return ParkedEvent(
        parked_key=line,
        consumer=worker.name,
        event_id=delivery.event_id,
        event_type=record.type,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        recorded_at=record.recorded_at,
        key=record.key,
        value=record.value,
        headers=msgspec.msgpack.encode(record.headers),
    )
