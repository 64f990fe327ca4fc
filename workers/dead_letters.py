"""Events that one consumer has given up on, and what staff may do with them.

A dead letter stands in a table here and as a record in `<topic>.DLT`, both written in one transaction. Whatever staff
do concerns the consumer that failed alone: nobody else sees the event twice. Many at once: `workers.replay_runs`.
"""

import logging
import traceback
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from uuid_utils.compat import uuid7

from events.declaration import find_declaration
from events.envelope import Headers
from events.outbox import RawRecord, publish_raw
from workers import metrics
from workers.failures import Poison, fingerprint
from workers.models import DeadLetter, DeadLetterAction, ParkedEvent, ParkedKey, ReplayRun
from workers.record import MAX_RECORD_BYTES, dead_letter_topic, read_record
from workers.worker import Worker

logger = logging.getLogger(__name__)

_MESSAGE_BYTES = 1_000
_STACKTRACE_BYTES = 8_000
_RECORD_FIELDS = [
    *("event_type", "topic", "partition", "offset", "recorded_at", "key", "value", "headers"),
    *("attempts", "first_failed_at", "last_failed_at"),
]
_FAILURE_FIELDS = ["reason", "exception_type", "exception_message", "stacktrace", "fingerprint", "holds_key"]
_ID_HEADER = "ce_id"
EDIT_OF_HEADER = "edit-of"
OMITTED_HEADER = "dlt-value-omitted"
# No less than what Kafka's record format adds to a record, and to each of its headers.
_RECORD_BYTES = 200
_HEADER_BYTES = 10
_Action = DeadLetterAction.Action

# A line that a dead letter holds becomes due. One that moves by itself keeps its time and the lease of who tries it.
# Sorted, so that two who put many in line wait for each other and do not deadlock.
_OPEN_LINES = """
    INSERT INTO workers_parkedkey (consumer, key, due_at)
    SELECT * FROM unnest(%s::text[], %s::bytea[], %s::timestamptz[])
    ON CONFLICT (consumer, key) DO UPDATE SET due_at = COALESCE(workers_parkedkey.due_at, EXCLUDED.due_at)
    RETURNING consumer, key, id
"""


class NotRetryable(Exception):
    """The dead letter's status does not allow what was asked; the message says why."""


class BadEdit(ValueError):
    """The edited payload is not one of the event as it is declared today; the message says where."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """When a dead letter that goes back in line may be tried, unless its line is moving already."""

    letter: DeadLetter
    due_at: datetime


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
    letter = _lock(letter_id=letter_id, status=DeadLetter.Status.OPEN)
    put_in_line(turns=[Turn(letter=letter, due_at=timezone.now())], by_id=by_id, reason=reason)


def put_in_line(*, turns: Sequence[Turn], by_id: int, reason: str, run: ReplayRun | None = None) -> None:
    """In the caller's transaction, which has locked these open dead letters: put them back in line, in order."""
    letters = [turn.letter for turn in turns]
    retrying = DeadLetter.objects.filter(id__in=[letter.id for letter in letters])
    retrying.update(status=DeadLetter.Status.RETRYING, replay_count=F("replay_count") + 1)
    DeadLetterAction.objects.bulk_create(
        [
            DeadLetterAction(dead_letter=letter, action=_Action.RETRY, by_id=by_id, reason=reason, run=run)
            for letter in letters
        ]
    )
    lines = _open_lines(turns=turns)
    ParkedEvent.objects.bulk_create(
        [
            _parked(letter=letter, line_id=lines[letter.consumer, _line_of(letter=letter)])
            for letter in letters
        ],
        ignore_conflicts=True,  # one that held its line stands in it still
    )


@transaction.atomic
def edit(*, letter_id: int, value: bytes, by_id: int, reason: str) -> int:
    """Retry an open dead letter with another payload, and return the id of the dead letter it becomes.

    The event gets an id of its own and takes the original's place in line; the original is kept as it was.
    Raises `NotRetryable` unless it is open, `BadEdit` where the payload is not that of its event, `ValueError`
    without a reason.
    """
    _require_reason(reason=reason)
    letter = _lock(letter_id=letter_id, status=DeadLetter.Status.OPEN)
    edited = _edited(letter=letter, value=value)
    _settle(letter=letter, status=DeadLetter.Status.EDITED)
    _audit(letter=letter, action=_Action.EDIT, by_id=by_id, reason=reason)
    edited.save()
    # The place in line is the original's: what waited behind it waits behind the edit.
    ParkedEvent.objects.filter(consumer=letter.consumer, event_id=letter.event_id).update(
        event_id=edited.event_id, value=edited.value, headers=edited.headers
    )
    put_in_line(turns=[Turn(letter=edited, due_at=timezone.now())], by_id=by_id, reason=reason)
    return edited.id


@transaction.atomic
def discard(*, letter_id: int, by_id: int, reason: str) -> None:
    """Settle an open dead letter without handling it; the events behind it go on.

    Raises `NotRetryable` unless it is open, `ValueError` without a reason.
    """
    _require_reason(reason=reason)
    letter = _lock(letter_id=letter_id, status=DeadLetter.Status.OPEN)
    _audit(letter=letter, action=_Action.DISCARD, by_id=by_id, reason=reason)
    _settle(letter=letter, status=DeadLetter.Status.DISCARDED)
    waiting = ParkedEvent.objects.filter(consumer=letter.consumer, event_id=letter.event_id)
    line = ParkedKey.objects.select_for_update().filter(events__in=waiting).first()
    waiting.delete()
    if line:
        _move_on(line=line)


@transaction.atomic
def restore(*, letter_id: int, by_id: int, reason: str = "") -> None:
    """Open a discarded dead letter again. It holds nothing back: what was behind it has gone on.

    Raises `NotRetryable` unless it is discarded.
    """
    letter = _lock(letter_id=letter_id, status=DeadLetter.Status.DISCARDED)
    _audit(letter=letter, action=_Action.RESTORE, by_id=by_id, reason=reason)
    letter.status = DeadLetter.Status.OPEN
    letter.settled_at = None
    letter.holds_key = False
    letter.save()


def resolve(*, worker: Worker, event_ids: Collection[UUID]) -> None:
    """In the caller's transaction: settle the dead letters among events that were handled after all."""
    retried = DeadLetter.objects.filter(
        consumer=worker.name, event_id__in=list(event_ids), status=DeadLetter.Status.RETRYING
    )
    retried.update(status=DeadLetter.Status.RESOLVED, settled_at=timezone.now())


def is_being_retried(*, event: ParkedEvent) -> bool:
    """Say whether staff have sent this event back from the dead letters."""
    return DeadLetter.objects.filter(consumer=event.consumer, event_id=event.event_id).exists()


def _lock(*, letter_id: int, status: DeadLetter.Status) -> DeadLetter:
    letter = DeadLetter.objects.select_for_update().filter(id=letter_id).first()
    if letter is None:
        raise NotRetryable(f"There is no dead letter {letter_id}.")
    if letter.status != status:
        now, wanted = letter.get_status_display().lower(), status.label.lower()
        raise NotRetryable(f"This dead letter is {now}, not {wanted}.")
    return letter


def _require_reason(*, reason: str) -> None:
    if not reason.strip():
        raise ValueError("Say why: the reason is kept with what you do to this event.")


def _audit(*, letter: DeadLetter, action: _Action, by_id: int, reason: str) -> None:
    DeadLetterAction.objects.create(dead_letter=letter, action=action, by_id=by_id, reason=reason)


def _settle(*, letter: DeadLetter, status: DeadLetter.Status) -> None:
    letter.status = status
    letter.settled_at = timezone.now()
    letter.save()


def _edited(*, letter: DeadLetter, value: bytes) -> DeadLetter:
    """Return the dead letter, not saved yet, that the edit becomes; raises `BadEdit`."""
    event_id = uuid7()
    replaced = {_ID_HEADER: str(event_id).encode(), EDIT_OF_HEADER: str(letter.event_id).encode()}
    kept = [(name, raw) for name, raw in letter.decoded_headers if name not in replaced]
    edited = DeadLetter(
        **_stored(record=letter),
        **{name: getattr(letter, name) for name in _FAILURE_FIELDS},
        consumer=letter.consumer,
        event_id=event_id,
        edit_of=letter,
    )
    edited.value = value
    edited.headers = msgspec.msgpack.encode([*kept, *replaced.items()])
    _require_readable(letter=edited)
    return edited


def _require_readable(*, letter: DeadLetter) -> None:
    try:
        read_record(declaration=find_declaration(name=letter.event_type), record=letter.record)
    except Poison as poison:
        raise BadEdit(f"Nothing was done: {poison}") from poison


def _open_lines(*, turns: Sequence[Turn]) -> dict[tuple[str, bytes], int]:
    """Make or lock the lines of these dead letters and return their ids by consumer and key."""
    wanted = {(turn.letter.consumer, _line_of(letter=turn.letter)): turn.due_at for turn in reversed(turns)}
    consumers, keys = zip(*sorted(wanted), strict=True)
    due = [wanted[one] for one in sorted(wanted)]
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_LINES, [list(consumers), list(keys), due])
        return {(consumer, bytes(key)): line_id for consumer, key, line_id in cursor.fetchall()}


def _parked(*, letter: DeadLetter, line_id: int) -> ParkedEvent:
    return ParkedEvent(
        parked_key_id=line_id,
        consumer=letter.consumer,
        event_id=letter.event_id,
        **_stored(record=letter),
    )


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
    """Return the record byte for byte, or without the value or even its headers where Kafka would not take them."""
    record, failure = letter.record, _dlt_headers(letter=letter)
    kept = [(name, value) for name, value in letter.decoded_headers if not name.startswith("dlt-")]
    whole = _raw(letter=letter, value=record.value, headers=kept + failure)
    if _fits(record=whole):
        return whole
    omitted = [*failure, (OMITTED_HEADER, str(len(record.value or b"")).encode())]
    without_value = _raw(letter=letter, value=None, headers=kept + omitted)
    return without_value if _fits(record=without_value) else _raw(letter=letter, value=None, headers=omitted)


def _raw(*, letter: DeadLetter, value: bytes | None, headers: Headers) -> RawRecord:
    return RawRecord(
        event_id=letter.event_id,
        topic=dead_letter_topic(topic=letter.topic),
        type=letter.event_type,
        key=letter.record.key,
        value=value,
        headers=headers,
    )


def _fits(*, record: RawRecord) -> bool:
    headers = sum(_HEADER_BYTES + len(name.encode()) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers + _RECORD_BYTES <= MAX_RECORD_BYTES


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
