"""What staff see of the dead letters in lists: by cause, by time, and the retries of many."""

from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Count, Max, Min

from workers.dead_letters import NotRetryable
from workers.models import DeadLetter, ReplayRun

_RUNS_SHOWN = 20
_GROUPS_SHOWN = 200


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Open dead letters of one cause."""

    consumer: str
    event_type: str
    exception_type: str
    fingerprint: str
    count: int
    oldest_at: datetime | None
    newest_at: datetime | None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter in a list."""

    id: int
    status: str
    consumer: str
    event_type: str
    key: str
    attempts: int
    replay_count: int
    fingerprint: str
    error: str


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What one of staff did with a dead letter."""

    at: datetime
    by: str
    action: str
    reason: str


class WholeLetter(msgspec.Struct, frozen=True, kw_only=True):
    """All about one dead letter. `edit_of` and `edited_as` are the ids of the dead letters before and after an edit."""

    letter: Letter
    event_id: str
    place: str
    edit_of: int | None
    edited_as: int | None
    headers: tuple[tuple[str, str], ...]
    payload: str
    stacktrace: str
    deeds: tuple[Deed, ...]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A retry of many and how it goes."""

    id: int
    state: str
    by: str
    reason: str
    total: int
    waiting: int
    in_line: int
    resolved: int
    failed: int
    skipped: int
    rate: float | None
    stop_after: int | None
    started_at: datetime
    ended_at: datetime | None


def groups() -> list[Group]:
    """Return the open dead letters by what went wrong, most first; at most 200 causes."""
    names = ("consumer", "event_type", "exception_type", "fingerprint")
    rows = DeadLetter.objects.filter(status=DeadLetter.Status.OPEN).order_by().values(*names)
    counted = rows.annotate(
        count=Count("id"), oldest_at=Min("last_failed_at"), newest_at=Max("last_failed_at")
    ).order_by("-count", *names)
    return [Group(**row) for row in counted[:_GROUPS_SHOWN]]


def newest(*, status: str, limit: int, **narrowed: str) -> list[Letter]:
    """Return the dead letters of a status (of any, if it is empty), the newest first."""
    given = {name: value for name, value in {"status": status, **narrowed}.items() if value}
    letters = DeadLetter.objects.filter(**given).defer("value", "headers", "stacktrace")
    return [_letter(row=row) for row in letters.order_by("-last_failed_at", "-id")[:limit]]


def find(*, letter_id: int) -> WholeLetter:
    """Return all about one dead letter; raises `NotRetryable` when there is none."""
    row = DeadLetter.objects.filter(id=letter_id).first()
    if row is None:
        raise NotRetryable(f"There is no dead letter {letter_id}.")
    after = DeadLetter.objects.filter(edit_of=row).values_list("id", flat=True).first()
    return WholeLetter(
        letter=_letter(row=row),
        event_id=str(row.event_id),
        place=row.record.place,
        edit_of=row.edit_of_id,
        edited_as=after,
        headers=tuple((name, _text(raw=raw)) for name, raw in row.decoded_headers),
        payload=_text(raw=row.value),
        stacktrace=row.stacktrace,
        deeds=_deeds(row=row),
    )


def runs() -> list[Run]:
    """Return the last retries of many, the newest first."""
    rows = ReplayRun.objects.select_related("by").order_by("-id")[:_RUNS_SHOWN]
    same = [name for name in Run.__struct_fields__ if name != "by"]
    return [Run(by=str(row.by), **{name: getattr(row, name) for name in same}) for row in rows]


def _letter(*, row: DeadLetter) -> Letter:
    return Letter(
        id=row.id,
        status=row.status,
        consumer=row.consumer,
        event_type=row.event_type,
        key=_text(raw=row.key),
        attempts=row.attempts,
        replay_count=row.replay_count,
        fingerprint=row.fingerprint,
        error=f"{row.exception_type}: {row.exception_message[:80]}",
    )


def _deeds(*, row: DeadLetter) -> tuple[Deed, ...]:
    done = row.actions.select_related("by").order_by("id")
    return tuple(
        Deed(at=action.at, by=str(action.by), action=action.action, reason=action.reason) for action in done
    )


def _text(*, raw: Any) -> str:
    return bytes(raw or b"").decode(errors="backslashreplace")
