"""`manage.py dead_letters`: the same doors as the back office, from the terminal."""

import json
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command

from events import Received
from events.orders import OrderAdvanced
from workers import PermanentError, Worker
from workers.models import DeadLetter, DeadLetterAction, ReplayRun
from workers.testing import deliver
from workers.tests.conftest import NewWorker, step

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(new_worker: NewWorker) -> DeadLetter:
    worker: Worker = new_worker("broken")

    @worker.on(OrderAdvanced)
    def fail(events: Sequence[Received[OrderAdvanced]]) -> None:
        raise PermanentError("no way")

    deliver(worker, step())
    return DeadLetter.objects.get()


@pytest.fixture
def hire() -> Callable[..., None]:
    """Make robin a member of staff with these permissions."""

    def hire(*codenames: str) -> None:
        robin = get_user_model().objects.create_user("robin", is_staff=True)
        robin.user_permissions.set(Permission.objects.filter(codename__in=codenames))

    return hire


def told(*arguments: Any) -> str:
    out = StringIO()
    call_command("dead_letters", *(str(one) for one in arguments), stdout=out)
    return out.getvalue()


def status_of(letter: DeadLetter) -> str:
    letter.refresh_from_db()
    return letter.status


def test_lists_and_groups_name_the_cause(letter: DeadLetter) -> None:
    assert "PermanentError: no way" in told("list")
    [group] = json.loads(told("groups", "--json"))
    assert (group["fingerprint"], group["count"]) == (letter.fingerprint, 1)
    assert told("list", "--consumer", "nobody").strip() == "None."


@pytest.mark.parametrize("look", ["list", "groups"])
def test_lists_fit_a_terminal(letter: DeadLetter, look: str) -> None:
    assert max(len(line) for line in told(look).splitlines()) <= 80


def test_one_is_shown_whole(letter: DeadLetter) -> None:
    shown = json.loads(told("show", letter.pk, "--json"))
    assert shown["event_id"] == str(letter.event_id)
    assert "Traceback" in shown["stacktrace"]
    assert f"  ce_id  {letter.event_id}\n" in told("show", letter.pk)


def test_a_dry_run_needs_nobody_and_changes_nothing(letter: DeadLetter) -> None:
    seen = json.loads(told("retry", "--fingerprint", letter.fingerprint, "--dry-run", "--json"))
    assert (seen["count"], seen["unreadable_count"]) == (1, 0)
    assert not ReplayRun.objects.exists()


def test_a_retry_begins_a_run_in_the_name_of_who_asked(letter: DeadLetter, hire: Any) -> None:
    hire("retry_deadletter")
    told("retry", letter.pk, "--user", "robin", "--reason", "fixed", "--rate", "5", "--stop-after", "3")

    run = ReplayRun.objects.get()
    assert (str(run.by), run.reason, run.rate, run.stop_after) == ("robin", "fixed", 5, 3)
    assert "robin" in told("runs")
    assert "total 1" in told("runs")
    told("stop", run.pk, "--user", "robin", "--reason", "a mistake")
    run.refresh_from_db()
    assert (run.state, run.stop_reason) == ("stopped", "a mistake")


def test_an_edit_is_read_from_a_file(letter: DeadLetter, hire: Any, tmp_path: Path) -> None:
    hire("edit_deadletter")
    payload = msgspec.json.decode(bytes(letter.value or b""))
    file = tmp_path / "payload.json"
    file.write_bytes(msgspec.json.encode({**payload, "step": "mended"}))

    told("edit", letter.pk, "--payload", file, "--user", "robin", "--reason", "a typo")

    assert status_of(letter) == "edited"
    assert b"mended" in bytes(DeadLetter.objects.get(edit_of=letter).value or b"")


def test_discard_and_restore_are_kept_with_their_reasons(letter: DeadLetter, hire: Any) -> None:
    hire("discard_deadletter")
    told("discard", letter.pk, "--user", "robin", "--reason", "a test order")
    assert status_of(letter) == "discarded"
    told("restore", letter.pk, "--user", "robin", "--reason", "it was none")
    assert status_of(letter) == "open"
    reasons = list(DeadLetterAction.objects.order_by("id").values_list("reason", flat=True))
    assert reasons == ["a test order", "it was none"]


@pytest.mark.parametrize("deed", ["retry", "edit", "discard", "restore"])
def test_who_may_not_is_refused(letter: DeadLetter, hire: Any, deed: str) -> None:
    hire("view_deadletter")
    more = ["--payload", "none.json"] if deed == "edit" else []
    for user in ("robin", "nobody"):
        with pytest.raises(CommandError, match=r"permission|no member of staff"):
            told(deed, letter.pk, "--user", user, "--reason", "x", *more)
    assert status_of(letter) == "open"


def test_what_cannot_be_is_said(letter: DeadLetter, hire: Any) -> None:
    hire("discard_deadletter", "retry_deadletter")
    with pytest.raises(CommandError, match="not discarded"):
        told("restore", letter.pk, "--user", "robin")
    with pytest.raises(CommandError, match="Say which"):
        told("retry", "--user", "robin")
    with pytest.raises(CommandError, match="There is no dead letter"):
        told("show", 0)
