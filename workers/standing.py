"""How everything stands: each worker's group and backlog, and what of it needs attention."""

from collections.abc import Iterator

import msgspec

from workers.backlog import Dead, Outbox, Parked, read_backlog
from workers.failures import DependencyDown
from workers.groups import Group, Observer
from workers.worker import all_workers

_KAFKA_TIMEOUT_MS = 5_000

# The limits at which docs/runtime.md lets an alert begin.
OLDEST_OUTBOX_SECONDS = 30.0
LONGEST_LAG_SECONDS = 60.0


class WorkerStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One worker. Members, records and seconds of lag are None while Kafka does not answer."""

    name: str
    members: int | None
    lag_records: int | None
    lag_seconds: float | None
    parked: Parked
    dead: Dead


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything; `kafka_is_away` says why the groups are not known, or is empty."""

    outbox: Outbox
    workers: tuple[WorkerStanding, ...]
    kafka_is_away: str


def read_standing() -> Standing:
    """Ask the database and Kafka. Raises `django.db.DatabaseError`; a Kafka that is away is part of the answer."""
    backlog = read_backlog()
    groups, away = _read_groups()
    return Standing(
        outbox=backlog.outbox,
        kafka_is_away=away,
        workers=tuple(
            _standing_of(
                name=worker.name,
                group=groups.get(worker.name),
                parked=backlog.parked.get(worker.name, Parked()),
                dead=backlog.dead.get(worker.name, Dead()),
            )
            for worker in all_workers()
        ),
    )


def problems(*, standing: Standing) -> list[str]:
    """Return what needs attention, a sentence for each; empty when all is well."""
    return [
        *_outbox_problems(standing.outbox),
        *([f"Kafka does not answer: {standing.kafka_is_away}."] if standing.kafka_is_away else []),
        *(problem for worker in standing.workers for problem in _worker_problems(worker)),
    ]


def _read_groups() -> tuple[dict[str, Group], str]:
    observer = Observer(timeout_ms=_KAFKA_TIMEOUT_MS)
    try:
        return {group.worker: group for group in observer.read_groups(workers=all_workers())}, ""
    except DependencyDown as away:
        return {}, str(away)
    finally:
        observer.close()


def _standing_of(*, name: str, group: Group | None, parked: Parked, dead: Dead) -> WorkerStanding:
    return WorkerStanding(
        name=name,
        members=group.members if group else None,
        lag_records=group.records if group else None,
        lag_seconds=group.seconds if group else None,
        parked=parked,
        dead=dead,
    )


def _outbox_problems(outbox: Outbox) -> Iterator[str]:
    if outbox.blocked:
        yield f"{outbox.blocked} outbox rows are blocked: see why in the admin site, and unblock them."
    if outbox.oldest_age_seconds > OLDEST_OUTBOX_SECONDS:
        yield f"The oldest outbox row waits for {outbox.oldest_age_seconds:.0f} s: does the relay run?"


def _worker_problems(worker: WorkerStanding) -> Iterator[str]:
    if worker.members == 0:
        runs = f"does `manage.py run_worker {worker.name}` run?"
        yield f"{worker.name} has no members: {runs} After Kafka was away it joins again by itself."
    if worker.lag_seconds is not None and worker.lag_seconds > LONGEST_LAG_SECONDS:
        yield f"{worker.name} is {worker.lag_seconds:.0f} s behind."
    if worker.dead.open:
        letters = f"{worker.dead.open} dead letters of {worker.dead.causes} causes"
        yield f"{worker.name} has {letters}: see `manage.py dead_letters groups`, or the admin site."
