"""Periodic work: one process of a group at a time runs each piece, when its row says it is due."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from workers.calls import Caller
from workers.failures import DependencyDown, FailureKind, kind_of
from workers.models import PeriodicRun
from workers.replay_runs import ADVANCING
from workers.retention import KEEPING
from workers.worker import Performed, Periodic, Sweep, Worker

logger = logging.getLogger(__name__)

# Under this name runs what every worker does for the runtime, whichever comes first.
_RUNTIME = "runtime"


class Clock:
    """Remembers in memory when to look at the rows again, so that an idle loop asks the database rarely."""

    def __init__(self, *, worker: Worker) -> None:
        own = [(worker.name, periodic) for periodic in worker.periodic]
        self._work = own + [(_RUNTIME, periodic) for periodic in (*KEEPING, ADVANCING)]
        self._look_at = dict.fromkeys(self._work, 0.0)

    def run_due(self, *, caller: Caller[Any]) -> None:
        """Run every piece of work that is due. A piece that fails is logged and runs again next time."""
        for consumer, periodic in self._work:
            if time.monotonic() >= self._look_at[consumer, periodic]:
                more = _run_guarded(consumer=consumer, periodic=periodic, caller=caller)
                self._look_at[consumer, periodic] = time.monotonic() + (0.0 if more else periodic.seconds)


def run_all(*, worker: Worker, caller: Caller[Any]) -> None:
    """Run every piece of the worker's periodic work now, due or not; failures are raised."""
    for periodic in worker.periodic:
        _run(periodic=periodic, caller=caller)


def _run_guarded(*, consumer: str, periodic: Periodic, caller: Caller[Any]) -> bool:
    try:
        if not _take_turn(consumer=consumer, periodic=periodic):
            return False
        more = _run(periodic=periodic, caller=caller)
        if more:
            _rows(consumer=consumer, periodic=periodic).update(due_at=timezone.now())
        return more
    except Exception as error:
        if kind_of(error) is FailureKind.DEPENDENCY_DOWN:
            raise DependencyDown(str(error)) from error
        logger.exception("%s.%s failed; it runs again in %s s", consumer, periodic.name, periodic.seconds)
        return False


@transaction.atomic
def _take_turn(*, consumer: str, periodic: Periodic) -> bool:
    """Move the due time on and return True, if the work is due and no other process is at it."""
    PeriodicRun.objects.bulk_create(
        [PeriodicRun(consumer=consumer, name=periodic.name)], ignore_conflicts=True
    )
    now = timezone.now()
    mine = _rows(consumer=consumer, periodic=periodic)
    if not mine.select_for_update(skip_locked=True).filter(due_at__lte=now).exists():
        return False
    mine.update(due_at=now + timedelta(seconds=periodic.seconds), last_started_at=now)
    return True


def _rows(*, consumer: str, periodic: Periodic) -> QuerySet[PeriodicRun]:
    return PeriodicRun.objects.filter(consumer=consumer, name=periodic.name)


def _run(*, periodic: Periodic, caller: Caller[Any]) -> bool:
    if periodic.sweep is not None:
        _sweep(sweep=periodic.sweep, caller=caller)
    elif periodic.function is not None:
        with transaction.atomic():
            return bool(periodic.function())
    return False


def _sweep(*, sweep: Sweep, caller: Caller[Any]) -> None:
    with transaction.atomic():
        intents = list(sweep.due())
    outcomes = caller.perform_all([(sweep.perform, intent) for intent in intents])
    for error in (outcome for outcome in outcomes if isinstance(outcome, BaseException)):
        logger.warning("%s: %r; it is tried again next time", type(sweep).__name__, error)
    done = [_performed(intent, outcome) for intent, outcome in zip(intents, outcomes, strict=True)]
    _record(sweep=sweep, results=[one for one in done if not isinstance(one.outcome, BaseException)])


def _record(*, sweep: Sweep, results: Sequence[Performed[Any, Any, Any]]) -> None:
    if results:
        with transaction.atomic():
            sweep.record(results)


def _performed(intent: Any, outcome: Any) -> Performed[Any, Any, Any]:
    return Performed(event=None, intent=intent, outcome=outcome)
