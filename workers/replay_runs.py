"""Retrying many dead letters: a look beforehand, then so many a second, until so many have failed again.

What a run takes on is fixed when it starts. `advance`, periodic work that whichever worker comes first does for all of
them, puts the next ones in line with the times at which they are due.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from workers import dead_letters
from workers.dead_letters import Turn
from workers.models import DeadLetter, ReplayItem, ReplayRun
from workers.record import open_record
from workers.worker import Periodic, UnknownWorker, find_worker

logger = logging.getLogger(__name__)

# So far ahead the lines' due times are set: longer, and a stop would come late; shorter, and a fast rate would stutter.
_AHEAD = timedelta(seconds=1)
_RELEASED_AT_ONCE = 500
_CHECKED = 10_000
_SHOWN = 20
_LOOK_SECONDS = 2.0

_TAKE_ON = """
    INSERT INTO workers_replayitem (run_id, dead_letter_id, state)
    SELECT %s, id, 'waiting' FROM ({letters}) AS chosen
"""
# What has become of those in line: a letter that is open again, or that staff have dealt with since, has failed.
_SETTLE = """
    UPDATE workers_replayitem item
    SET state = CASE letter.status WHEN 'resolved' THEN 'resolved' ELSE 'failed' END
    FROM workers_deadletter letter
    WHERE item.run_id = %s AND item.state = 'in_line'
        AND letter.id = item.dead_letter_id AND letter.status <> 'retrying'
    RETURNING item.state
"""


class NothingToRetry(Exception):
    """No open dead letter is among what was chosen."""


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which open dead letters are meant: those that match everything given."""

    ids: tuple[int, ...] = ()
    consumer: str = ""
    event_type: str = ""
    exception_type: str = ""
    fingerprint: str = ""

    def letters(self) -> QuerySet[DeadLetter]:
        """Return the open dead letters meant, oldest first; raises `ValueError` when nothing narrows the choice."""
        given = msgspec.to_builtins(self)
        if not given:
            raise ValueError(
                "Say which dead letters: by id, fingerprint, worker, event type or exception type."
            )
        if ids := given.pop("ids", None):
            given["id__in"] = ids
        return DeadLetter.objects.filter(status=DeadLetter.Status.OPEN, **given).order_by("id")


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters that failed alike."""

    consumer: str
    event_type: str
    exception_type: str
    fingerprint: str
    count: int


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter that is certain to fail again, and why: it breaks today's declarations, or nobody handles it."""

    letter_id: int
    why: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would take on, as far as can be told beforehand.

    `keys` are the first of `key_count` keys; `unreadable` the first of those that would fail for certain among the
    oldest `checked`.
    """

    count: int
    causes: tuple[Cause, ...]
    key_count: int
    keys: tuple[str, ...]
    checked: int
    unreadable_count: int
    unreadable: tuple[Unreadable, ...]


def preview(*, selection: Selection) -> Preview:
    """Say what a retry of this selection would do, and do nothing."""
    letters = selection.letters()
    causes = Counter(
        letters.values_list("consumer", "event_type", "exception_type", "fingerprint").order_by()
    )
    keys = letters.order_by("key").values_list("key", flat=True).distinct()
    doubtful = list(_unreadable(letters=letters[:_CHECKED]))
    return Preview(
        count=causes.total(),
        causes=tuple(_cause(names=names, count=count) for names, count in causes.most_common()),
        key_count=keys.count(),
        keys=tuple(bytes(key or b"").decode(errors="replace") for key in keys[:_SHOWN]),
        checked=min(causes.total(), _CHECKED),
        unreadable_count=len(doubtful),
        unreadable=tuple(doubtful[:_SHOWN]),
    )


@transaction.atomic
def start(
    *,
    selection: Selection,
    by_id: int,
    reason: str = "",
    rate: float | None = None,
    stop_after: int | None = None,
) -> int:
    """Take on the open dead letters of the selection and return the id of the run.

    `rate` is in events a second; `stop_after` is how many may fail again before the rest is left alone. Raises
    `NothingToRetry`, `ValueError` for a rate or number that is not positive.
    """
    _require_positive(rate=rate, stop_after=stop_after)
    run = ReplayRun.objects.create(
        by_id=by_id,
        reason=reason,
        selection=msgspec.to_builtins(selection),
        rate=rate,
        stop_after=stop_after,
    )
    run.total = _take_on(run=run, letters=selection.letters())
    if not run.total:
        raise NothingToRetry("None of these dead letters is open, so there is nothing to retry.")
    run.save()
    return run.id


@transaction.atomic
def stop(*, run_id: int, by_id: int, reason: str = "") -> bool:
    """Put no more of a run in line; return False when it was over already. What is in line is still tried."""
    running = ReplayRun.objects.filter(id=run_id, state=ReplayRun.State.RUNNING)
    return bool(running.update(state=ReplayRun.State.STOPPED, stopped_by_id=by_id, stop_reason=reason))


def advance() -> bool:
    """In a transaction: carry every run that is not over a step further; return True while there are any."""
    runs = ReplayRun.objects.select_for_update().filter(ended_at=None).order_by("id")
    for run in runs:
        _settle(run=run)
        if run.state == ReplayRun.State.RUNNING:
            _release(run=run)
        _close(run=run)
        run.save()
    return any(run.ended_at is None for run in runs)


def _require_positive(*, rate: float | None, stop_after: int | None) -> None:
    if rate is not None and not 0 < rate < float("inf"):
        raise ValueError("The rate is in events a second, and more than none.")
    if stop_after is not None and stop_after < 1:
        raise ValueError("Stop after one failure or more.")


def _take_on(*, run: ReplayRun, letters: QuerySet[DeadLetter]) -> int:
    chosen, parameters = letters.values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_ON.format(letters=chosen), [run.id, *parameters])
        return int(cursor.rowcount)


def _settle(*, run: ReplayRun) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [run.id])
        states = Counter(state for (state,) in cursor.fetchall())
    run.resolved += states["resolved"]
    run.failed += states["failed"]


def _release(*, run: ReplayRun) -> None:
    now = timezone.now()
    items = run.items.filter(state=ReplayItem.State.WAITING).order_by("dead_letter_id")
    ids = list(items.values_list("dead_letter_id", flat=True)[: _allowance(run=run, now=now)])
    # Of a letter that somebody else has in hand we wait for the end: then it is open, or it is not.
    letters = DeadLetter.objects.select_for_update().filter(id__in=ids, status=DeadLetter.Status.OPEN)
    turns = [_turn(run=run, letter=letter, now=now) for letter in letters.order_by("id")]
    if turns:
        dead_letters.put_in_line(turns=turns, by_id=run.by_id, reason=run.reason, run=run)
    taken = [turn.letter.id for turn in turns]
    run.items.filter(dead_letter_id__in=ids).update(state=ReplayItem.State.SKIPPED)
    run.items.filter(dead_letter_id__in=taken).update(state=ReplayItem.State.IN_LINE)
    run.released += len(taken)
    run.skipped += len(ids) - len(taken)


def _allowance(*, run: ReplayRun, now: datetime) -> int:
    """Return how many may go in line now: so many that even if all failed, no more than `stop_after` would have."""
    allowed = _RELEASED_AT_ONCE
    if run.rate is not None:
        run.next_due_at = max(run.next_due_at, now)
        ahead = (now + _AHEAD - run.next_due_at).total_seconds()
        allowed = min(allowed, int(ahead * run.rate) + 1 if ahead >= 0 else 0)
    if run.stop_after is not None:
        allowed = min(allowed, run.stop_after - run.failed - run.in_line)
    return max(0, allowed)


def _turn(*, run: ReplayRun, letter: DeadLetter, now: datetime) -> Turn:
    if run.rate is None:
        return Turn(letter=letter, due_at=now)
    due_at = run.next_due_at
    run.next_due_at += timedelta(seconds=1 / run.rate)
    return Turn(letter=letter, due_at=due_at)


def _close(*, run: ReplayRun) -> None:
    if run.stop_after is not None and run.failed >= run.stop_after and run.waiting:
        run.state = ReplayRun.State.STOPPED
        logger.error("%s stopped: %d failed again, %d are left alone", run, run.failed, run.waiting)
    if run.in_line:
        return
    if run.state == ReplayRun.State.RUNNING and not run.waiting:
        run.state = ReplayRun.State.FINISHED
    if run.state != ReplayRun.State.RUNNING:
        run.ended_at = timezone.now()


def _unreadable(*, letters: QuerySet[DeadLetter]) -> Iterator[Unreadable]:
    for letter in letters.defer("stacktrace", "exception_message").iterator():
        if why := _why_it_cannot_succeed(letter=letter):
            yield Unreadable(letter_id=letter.id, why=why)


def _why_it_cannot_succeed(*, letter: DeadLetter) -> str:
    try:
        delivery = open_record(worker=find_worker(name=letter.consumer), record=letter.record)
    except UnknownWorker as unknown:
        return str(unknown)
    if delivery.poison:
        return str(delivery.poison)
    return "" if delivery.handler else f"The {letter.consumer} worker no longer handles {letter.event_type}."


def _cause(*, names: Sequence[str], count: int) -> Cause:
    consumer, event_type, exception_type, fingerprint = names
    return Cause(
        consumer=consumer,
        event_type=event_type,
        exception_type=exception_type,
        fingerprint=fingerprint,
        count=count,
    )


ADVANCING = Periodic(name="advance_replays", seconds=_LOOK_SECONDS, function=advance)
