"""`manage.py status` and the readings of the relay: what waits, for whom, and for how long."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from events.models import OutboxEvent
from events.orders import OrderAdvanced
from tests.waiting import eventually
from workers import PermanentError
from workers.testing import deliver
from workers.tests.conftest import NewWorker, running, step
from workers.topics import create_topics

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_servers")]


@pytest.fixture(autouse=True)
def topics() -> None:
    create_topics(partitions=3)


@pytest.fixture
def failing(new_worker: NewWorker) -> Any:
    """A worker that no process runs, with one dead letter and one event behind it."""
    worker = new_worker(f"probe-{uuid4().hex[:8]}")

    @worker.on(OrderAdvanced)
    def refuse(events: Any) -> None:
        raise PermanentError("refused")

    first = step()
    deliver(worker, first)
    deliver(worker, step(order_id=first.order_id))
    return worker


def status(*options: str) -> str:
    out = StringIO()
    call_command("status", *options, stdout=out)
    return out.getvalue()


def find(name: str) -> Any:
    [worker] = [one for one in json.loads(status("--json"))["workers"] if one["name"] == name]
    return worker


def test_a_worker_that_nobody_runs_is_shown_with_all_that_waits_for_it(failing: Any) -> None:
    # A cluster that never had a group first makes the topic that keeps them.
    eventually(lambda: find(failing.name)["members"] == 0)
    worker = find(failing.name)
    assert (worker["dead"]["open"], worker["dead"]["causes"], worker["parked"]["events"]) == (1, 1, 2)
    screen = status()
    assert f"{failing.name} has no members" in screen
    assert "1 dead letters of 1 causes" in screen


def test_check_ends_with_an_error_when_something_needs_attention(failing: Any) -> None:
    with pytest.raises(CommandError, match="Needs attention"):
        status("--check")


def test_a_running_worker_is_a_member(new_worker: NewWorker) -> None:
    worker = new_worker(f"probe-{uuid4().hex[:8]}")
    worker.on(OrderAdvanced)(_ignore)

    with running(worker):
        eventually(lambda: find(worker.name)["members"] == 1, what="the group has a member")


def test_a_row_that_kafka_does_not_take_is_told_with_what_to_do() -> None:
    OutboxEvent.objects.create(
        event_id=uuid4(),
        shard=0,
        topic="orders",
        headers=b"",
        aggregate_version=1,
        blocked_at=timezone.now(),
        blocked_reason="too large",
    )

    assert "1 outbox rows are blocked" in status()


def _ignore(events: Any) -> None:
    pass
