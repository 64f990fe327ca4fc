"""`manage.py dead_letters …`: look at what workers gave up on, and retry, edit, discard or restore it."""

import sys
import textwrap
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import localtime

from workers import dead_letters, replay_runs
from workers.checks import TAG
from workers.dead_letter_lists import find, groups, newest, runs
from workers.replay_runs import Selection

_COLUMNS = 80
_DEEDS = {"retry": "retry", "edit": "edit", "discard": "discard", "restore": "discard", "stop": "retry"}


class Command(BaseCommand):
    requires_system_checks = [TAG]
    help = "Look at what the workers gave up on, and retry, edit, discard or restore it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare one sub-command for each thing to see or do."""
        actions = parser.add_subparsers(dest="action", required=True)
        _add_looks(actions)
        retry = _add_deed(actions, "retry", help_text="put open dead letters back in line", reason=False)
        _add_selection(retry)
        retry.add_argument("--rate", type=float, help="events a second")
        retry.add_argument(
            "--stop-after", type=int, metavar="N", help="leave the rest alone after N failures"
        )
        retry.add_argument("--dry-run", action="store_true", help="say what would be retried, and do nothing")
        edit = _add_deed(actions, "edit", help_text="retry one with another payload", reason=True)
        edit.add_argument("id", type=int)
        edit.add_argument(
            "--payload", required=True, metavar="FILE", help="the new payload; - reads it from stdin"
        )
        for name, what, needs_reason in [
            ("discard", "settle without handling", True),
            ("restore", "open what was discarded", False),
        ]:
            deed = _add_deed(actions, name, help_text=what, reason=needs_reason)
            deed.add_argument("id", type=int, nargs="+")
        stop = _add_deed(actions, "stop", help_text="put no more of a run in line", reason=False)
        stop.add_argument("id", type=int)

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        try:
            told = getattr(self, f"_{action}")(**options)
        except (dead_letters.NotRetryable, replay_runs.NothingToRetry, ValueError) as refused:
            raise CommandError(str(refused)) from refused
        if options["json"]:
            self.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        else:
            self.stdout.write(_as_text(told))

    def _list(self, *, status: str, limit: int, **options: Any) -> Any:
        return newest(status=status, limit=limit, **_narrowed(options))

    def _groups(self, **_options: Any) -> Any:
        return groups()

    def _runs(self, **_options: Any) -> Any:
        return runs()

    def _show(self, *, id: int, **_options: Any) -> Any:  # noqa: A002  (the name of the argument)
        return find(letter_id=id)

    def _retry(
        self, *, ids: list[int], dry_run: bool, rate: float | None, stop_after: int | None, **options: Any
    ) -> Any:
        selection = Selection(ids=tuple(ids), **_narrowed(options))
        if dry_run:
            return replay_runs.preview(selection=selection)
        by_id = _staff(name=options["user"], deed="retry")
        run_id = replay_runs.start(
            selection=selection, by_id=by_id, reason=options["reason"], rate=rate, stop_after=stop_after
        )
        return f"Run {run_id} has begun; `dead_letters runs` tells how it goes."

    def _edit(self, *, id: int, payload: str, user: str, reason: str, **_options: Any) -> Any:  # noqa: A002
        by_id = _staff(name=user, deed="edit")
        value = sys.stdin.buffer.read() if payload == "-" else Path(payload).read_bytes()
        edited_id = dead_letters.edit(letter_id=id, value=value, by_id=by_id, reason=reason)
        return f"In line again with the new payload, as dead letter {edited_id}."

    def _discard(self, *, id: list[int], user: str, reason: str, **_options: Any) -> Any:  # noqa: A002
        by_id = _staff(name=user, deed="discard")
        for letter_id in id:
            dead_letters.discard(letter_id=letter_id, by_id=by_id, reason=reason)
        return f"Discarded: {len(id)}."

    def _restore(self, *, id: list[int], user: str, reason: str, **_options: Any) -> Any:  # noqa: A002
        by_id = _staff(name=user, deed="restore")
        for letter_id in id:
            dead_letters.restore(letter_id=letter_id, by_id=by_id, reason=reason)
        return f"Open again: {len(id)}."

    def _stop(self, *, id: int, user: str, reason: str, **_options: Any) -> Any:  # noqa: A002
        stopped = replay_runs.stop(run_id=id, by_id=_staff(name=user, deed="stop"), reason=reason)
        return "No more is put in line." if stopped else "This run was over already."


def _add_looks(actions: Any) -> None:
    looks = {
        "list": "the newest dead letters",
        "groups": "open dead letters by what went wrong",
        "runs": "the last retries of many, and how they went",
        "show": "all about one",
    }
    for name, what in looks.items():
        look = actions.add_parser(name, help=what)
        look.add_argument("--json", action="store_true")
        if name == "list":
            _add_filters(look)
            look.add_argument("--status", default="open")
            look.add_argument("--limit", type=int, default=50)
        if name == "show":
            look.add_argument("id", type=int)


def _add_deed(actions: Any, name: str, *, help_text: str, reason: bool) -> ArgumentParser:
    deed: ArgumentParser = actions.add_parser(name, help=help_text)
    deed.add_argument("--json", action="store_true")
    deed.add_argument("--user", default="", help="who does it: a member of staff, by name")
    deed.add_argument("--reason", default="", required=reason, help="why; it is kept")
    return deed


def _add_selection(parser: ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", type=int, metavar="id")
    _add_filters(parser)


def _add_filters(parser: ArgumentParser) -> None:
    for name in ("consumer", "event-type", "exception-type", "fingerprint"):
        parser.add_argument(f"--{name}", default="")


def _narrowed(options: dict[str, Any]) -> dict[str, str]:
    return {name: options[name] for name in ("consumer", "event_type", "exception_type", "fingerprint")}


def _staff(*, name: str, deed: str) -> int:
    """Return the id of a member of staff who may do this; raises `CommandError` for anyone else."""
    users = get_user_model().objects
    user: Any = users.filter(**{get_user_model().USERNAME_FIELD: name}, is_staff=True, is_active=True).first()
    if user is None:
        raise CommandError(f"--user names who does it: {name!r} is no member of staff.")
    permission = f"workers.{_DEEDS[deed]}_deadletter"
    if not user.has_perm(permission):
        raise CommandError(f"{name} may not do this: it takes the permission {permission}.")
    return int(user.pk)


def _as_text(told: Any) -> str:
    """Return rows one below the other, a row as one field to a line, and text as it is."""
    if isinstance(told, str):
        return told
    if isinstance(told, list):
        return "\n".join(_row(row) for row in told) or "None."
    return _whole(_fields(told))


def _whole(fields: dict[str, Any]) -> str:
    lines = [
        _whole(value) if isinstance(value, dict) else f"{name}: {_value(value)}"
        for name, value in fields.items()
    ]
    return "\n".join(lines)


def _row(row: Any) -> str:
    text = "  ".join(_named(name=name, value=value) for name, value in _fields(row).items())
    # Ids and names stay whole, so that they can be copied from the terminal.
    return textwrap.fill(
        text, _COLUMNS, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _named(*, name: str, value: Any) -> str:
    is_count = isinstance(value, int | float) and name != "id"
    return f"{name.replace('_', ' ')} {value}" if is_count else _value(value)


def _fields(told: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(told, builtin_types=(datetime,))
    return fields


def _value(value: Any) -> str:
    match value:
        case list() | tuple():
            return "".join(f"\n  {_on_one_line(one)}" for one in value) or "none"
        case datetime():
            return f"{localtime(value):%Y-%m-%d %H:%M:%S}"
        case None | "":
            return "-"
        case _:
            return str(value)


def _on_one_line(value: Any) -> str:
    match value:
        case dict():
            return "  ".join(_value(one) for one in value.values())
        case list() | tuple():
            return "  ".join(_value(one) for one in value)
        case _:
            return _value(value)
