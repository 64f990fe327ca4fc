"""Events that one consumer has given up on, and what staff may do with them.

A dead letter stands in a table here and as a record in `<topic>.DLT`, both written in one transaction. Retry
and discard concern the consumer that failed alone: nobody else sees the event twice.
"""

import logging
import traceback
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from events.envelope import Headers
from events.outbox import RawRecord, publish_raw
from workers import metrics
from workers.failures import fingerprint
from workers.models import DeadLetter, DeadLetterAction, ParkedEvent, ParkedKey
from workers.record import dead_letter_topic
from workers.worker import Worker

logger = logging.getLogger(__name__)

_MESSAGE_BYTES = 1_000
_STACKTRACE_BYTES = 8_000
_RECORD_FIELDS = [
    *("event_type", "topic", "partition", "offset", "recorded_at", "key", "value", "headers"),
    *("attempts", "first_failed_at", "last_failed_at"),
]


class NotRetryable(Exception):
    """The dead letter is not open, so it cannot be retried or discarded; the message says why."""


def bury(
    *, worker: Worker, line: ParkedKey, event: ParkedEvent, error: BaseException, reason: DeadLetter.Reason
) -> DeadLetter:
    """In the caller's transaction: give the event up, tell Kafka and staff, and hold or release its line."""
    letter = _write(worker=worker, event=event, error=error, reason=reason)
    publish_raw([_dlt_record(letter=letter)])
    metrics.records.labels(worker.name, letter.topic, "dead").inc()
    logger.error(
        "%s: %s of %s is a dead letter (%s): %s", worker.name, letter, line, reason, letter.exception_message
    )
    if letter.holds_key:
        _hold(line=line)
    else:
        event.delete()
        _move_on(line=line)
    return letter


@transaction.atomic
def retry(*, letter_id: int, by_id: int, reason: str = "") -> None:
    """Put an open dead letter back in line for its own consumer, with the same event id.

    Raises `NotRetryable` unless it is open, so a second retry has no effect, during the first or after it.
    """
    letter = _lock_open(letter_id=letter_id)
    _audit(letter=letter, action="retry", by_id=by_id, reason=reason)
    letter.status = DeadLetter.Status.RETRYING
    letter.replay_count += 1
    letter.save()
    line, _ = ParkedKey.objects.select_for_update().get_or_create(
        consumer=letter.consumer, key=_line_of(letter=letter)
    )
    ParkedEvent.objects.get_or_create(
        consumer=letter.consumer,
        event_id=letter.event_id,
        defaults={"parked_key": line, **_stored(record=letter)},
    )
    _move_on(line=line)


@transaction.atomic
def discard(*, letter_id: int, by_id: int, reason: str) -> None:
    """Settle an open dead letter without handling it; the events behind it go on.

    Raises `NotRetryable` unless it is open, `ValueError` without a reason.
    """
    if not reason.strip():
        raise ValueError("Say why this event is discarded: the reason is kept with it.")
    letter = _lock_open(letter_id=letter_id)
    _audit(letter=letter, action="discard", by_id=by_id, reason=reason)
    letter.status = DeadLetter.Status.DISCARDED
    letter.settled_at = timezone.now()
    letter.save()
    waiting = ParkedEvent.objects.filter(consumer=letter.consumer, event_id=letter.event_id)
    line = ParkedKey.objects.select_for_update().filter(events__in=waiting).first()
    waiting.delete()
    if line:
        _move_on(line=line)


def resolve(*, worker: Worker, event_ids: Collection[UUID]) -> None:
    """In the caller's transaction: settle the dead letters among events that were handled after all."""
    retried = DeadLetter.objects.filter(
        consumer=worker.name, event_id__in=list(event_ids), status=DeadLetter.Status.RETRYING
    )
    retried.update(status=DeadLetter.Status.RESOLVED, settled_at=timezone.now())


def is_being_retried(*, event: ParkedEvent) -> bool:
    """Say whether staff have sent this event back from the dead letters."""
    return DeadLetter.objects.filter(consumer=event.consumer, event_id=event.event_id).exists()


def _lock_open(*, letter_id: int) -> DeadLetter:
    letter = DeadLetter.objects.select_for_update().get(id=letter_id)
    if letter.status != DeadLetter.Status.OPEN:
        raise NotRetryable(f"This dead letter is {letter.get_status_display().lower()}, not open.")
    return letter


def _audit(*, letter: DeadLetter, action: str, by_id: int, reason: str) -> None:
    DeadLetterAction.objects.create(dead_letter=letter, action=action, by_id=by_id, reason=reason)


def _hold(*, line: ParkedKey) -> None:
    line.due_at = None
    line.leased_until = None
    line.save()


def _move_on(*, line: ParkedKey) -> None:
    if line.events.exists():
        line.due_at = timezone.now()
        line.leased_until = None
        line.save()
    else:
        line.delete()


def _line_of(*, letter: DeadLetter) -> bytes:
    return bytes(letter.key) if letter.key else str(letter.event_id).encode()


def _stored(*, record: DeadLetter | ParkedEvent) -> dict[str, object]:
    return {name: getattr(record, name) for name in _RECORD_FIELDS}


def _write(
    *, worker: Worker, event: ParkedEvent, error: BaseException, reason: DeadLetter.Reason
) -> DeadLetter:
    letter, _ = DeadLetter.objects.update_or_create(
        consumer=worker.name,
        event_id=event.event_id,
        defaults={
            **_stored(record=event),
            "status": DeadLetter.Status.OPEN,
            "reason": reason,
            "exception_type": type(error).__qualname__,
            "exception_message": _cut(text=str(error), size=_MESSAGE_BYTES),
            "stacktrace": _cut(text="".join(traceback.format_exception(error)), size=_STACKTRACE_BYTES),
            "fingerprint": fingerprint(worker=worker.name, event_type=event.event_type, error=error),
            "holds_key": worker.dead_letter == "hold",
            "settled_at": None,
        },
    )
    return letter


def _dlt_record(*, letter: DeadLetter) -> RawRecord:
    kept = [(name, value) for name, value in letter.decoded_headers if not name.startswith("dlt-")]
    record = letter.record
    return RawRecord(
        event_id=letter.event_id,
        topic=dead_letter_topic(topic=letter.topic),
        type=letter.event_type,
        key=record.key,
        value=record.value,
        headers=kept + _dlt_headers(letter=letter),
    )


def _dlt_headers(*, letter: DeadLetter) -> Headers:
    values = {
        "dlt-original-topic": letter.topic,
        "dlt-original-partition": letter.partition,
        "dlt-original-offset": letter.offset,
        "dlt-original-timestamp": _rfc3339(moment=letter.recorded_at),
        "dlt-consumer": letter.consumer,
        "dlt-attempts": letter.attempts,
        "dlt-first-failed-at": _rfc3339(moment=letter.first_failed_at),
        "dlt-last-failed-at": _rfc3339(moment=letter.last_failed_at),
        "dlt-class": letter.reason,
        "dlt-exception-type": letter.exception_type,
        "dlt-exception-message": letter.exception_message,
        "dlt-exception-stacktrace": letter.stacktrace,
        "dlt-fingerprint": letter.fingerprint,
        "dlt-replay-count": letter.replay_count,
    }
    return [(name, str(value).encode()) for name, value in values.items()]


def _rfc3339(*, moment: datetime | None) -> str:
    return moment.isoformat().replace("+00:00", "Z") if moment else ""


def _cut(*, text: str, size: int) -> str:
    # Postgres takes no NUL in text, and a payload may well carry one into a message.
    clean = text.replace("\x00", "\\x00")
    return clean.encode()[:size].decode(errors="ignore")
