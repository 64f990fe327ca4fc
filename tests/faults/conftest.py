"""A probe: facts go in by the outbox, the real relay and Kafka, and come out as notes."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import transaction
from uuid_utils.compat import uuid7

from events.models import OutboxEvent
from events.orders import OrderAdvanced
from events.outbox import Outgoing, publish_all
from stack.process import Process
from stack.programs import Manage
from stack.testing import servers
from tests.faults.probe import NOTES
from tests.invariants import probe_breaches, require_none
from tests.waiting import eventually
from workers.topics import create_topics

# A client that got stuck while it joined its group is given up after 20 s and joins anew.
PATIENCE_SECONDS = 90


class Probe:
    """Relays and probe workers of one test, with all that was told to them."""

    def __init__(self, *, environment: Mapping[str, str]) -> None:
        self.group = f"probe-{uuid4().hex[:8]}"
        self.told: dict[UUID, list[str]] = {}
        self._environment = environment
        self._started: list[Process] = []

    def start_worker(self, **variables: str) -> Process:
        """Start one member of the probe's group."""
        return self._start([sys.executable, "-m", "tests.faults.probe", self.group], **variables)

    def start_relay(self) -> Process:
        """Start a relay."""
        process = Manage(
            "run_worker",
            "relay",
            name=f"relay-{len(self._started)}-{self.group}",
            state=servers().state,
            environment=self._environment,
        )
        self._started.append(process)
        process.start()
        return process

    def tell(self, *, orders: Sequence[UUID], times: int = 1) -> None:
        """Commit so many next events of each order, a transaction for each round."""
        for _ in range(times):
            with transaction.atomic():
                publish_all([self._next(order_id=order_id) for order_id in orders])

    def notes(self) -> list[tuple[UUID, str]]:
        """Return the order and the step of every note, in the order of their writing."""
        query = "SELECT order_id, step FROM probe_note WHERE consumer = %s ORDER BY id"
        with psycopg.connect(self._environment["DATABASE_URL"]) as connection:
            return connection.execute(query, [self.group]).fetchall()

    def wait_until_all_is_noted(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Return when every event that was told has left a note."""
        self.wait_until_noted(orders=list(self.told), seconds=seconds)

    def wait_until_noted(self, *, orders: Sequence[UUID], seconds: float = PATIENCE_SECONDS) -> None:
        """Return when every event that was told of these orders has left a note."""
        expected = {(order, step) for order in orders for step in self.told[order]}
        eventually(lambda: expected <= set(self.notes()), seconds=seconds, what="every event is noted")

    def wait_for_more_notes(self) -> None:
        """Return when something is noted that is not yet; call it before a worker can have begun."""
        known = len(self.notes())
        eventually(lambda: len(self.notes()) > known, seconds=PATIENCE_SECONDS, what="a worker is at work")

    def require_invariants(self) -> None:
        """Fail with every event that was lost, came twice, came out of order or came from nowhere."""
        eventually(
            lambda: not OutboxEvent.objects.exists(), seconds=PATIENCE_SECONDS, what="the outbox is empty"
        )
        require_none(probe_breaches(told=self.told, noted=self.notes()))

    def stop(self) -> None:
        """Stop everything that still runs."""
        for process in self._started:
            if process.is_running:
                os.killpg(process.pid, signal.SIGCONT)
            process.stop(seconds=5)
            print(f"{process.name}:", process.log.read_text()[-3000:])

    def _next(self, *, order_id: UUID) -> Outgoing:
        steps = self.told.setdefault(order_id, [])
        steps.append(str(len(steps) + 1))
        event = OrderAdvanced(order_id=order_id, number="WB-TEST-0001", step=steps[-1], status="placed")
        return Outgoing(event=event, aggregate_type="probe", aggregate_id=order_id, version=len(steps))

    def _start(self, command: Sequence[str], **variables: str) -> Process:
        process = Process(
            name=f"{self.group}-{len(self._started)}",
            command=command,
            state=servers().state,
            environment={**self._environment, **variables},
        )
        self._started.append(process)
        process.start()
        return process


@pytest.fixture
def probe(
    transactional_db: None, kafka_servers: object, process_environment: dict[str, str]
) -> Iterator[Probe]:
    create_topics(partitions=3)
    with psycopg.connect(process_environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(NOTES)
    made = Probe(environment=process_environment)
    yield made
    made.stop()


@pytest.fixture
def orders() -> list[UUID]:
    """Twenty orders, enough for every partition and every shard of the outbox but few."""
    return [uuid7() for _ in range(20)]


@pytest.fixture
def database(process_environment: dict[str, str]) -> Iterator[Any]:
    """A session of its own in the tests' database, without autocommit."""
    with psycopg.connect(process_environment["DATABASE_URL"]) as connection:
        yield connection
