"""What goes wrong with a worker: it dies, stands still, is stopped, is given everything again."""

import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from tests.faults.conftest import PATIENCE_SECONDS, Probe
from tests.faults.probe import AFTER_COMMIT, BEFORE_COMMIT
from tests.waiting import eventually

EVENTS = 30


@pytest.mark.parametrize("point", [BEFORE_COMMIT, AFTER_COMMIT])
def test_a_worker_killed_at_its_commit_has_one_effect_for_each_event(
    probe: Probe, orders: list[UUID], tmp_path: Path, point: str
) -> None:
    crashed = tmp_path / "crashed"
    probe.start_relay()
    victim = probe.start_worker(
        PROBE_CRASHES=point, PROBE_CRASHES_WITH=str(orders[0]), PROBE_CRASHED=str(crashed)
    )
    probe.tell(orders=orders, times=EVENTS)
    eventually(
        lambda: crashed.exists() and not victim.is_running,
        seconds=PATIENCE_SECONDS,
        what="the worker is dead",
    )

    probe.start_worker()

    probe.wait_until_all_is_noted()
    probe.require_invariants()


def test_a_worker_that_slept_beyond_its_session_does_nothing_twice(
    probe: Probe, orders: list[UUID], database: Any
) -> None:
    probe.start_relay()
    sleeper = probe.start_worker()
    probe.tell(orders=orders, times=EVENTS)
    probe.wait_until_all_is_noted()
    os.kill(sleeper.pid, signal.SIGSTOP)
    probe.tell(orders=orders, times=EVENTS)
    probe.start_worker()
    probe.wait_until_all_is_noted()

    os.kill(sleeper.pid, signal.SIGCONT)
    probe.tell(orders=orders, times=EVENTS)

    probe.wait_until_all_is_noted()
    probe.require_invariants()


def test_a_worker_whose_database_session_is_ended_goes_on(
    probe: Probe, orders: list[UUID], database: Any
) -> None:
    probe.start_relay()
    probe.start_worker(PGAPPNAME="victim")
    probe.tell(orders=orders)
    probe.wait_until_all_is_noted()
    ended = 0
    for _ in range(5):
        probe.tell(orders=orders, times=4)
        ended += _end_sessions(database, of="victim")
    assert ended

    probe.wait_until_all_is_noted()
    probe.require_invariants()


def test_sigterm_under_load_ends_a_worker_in_time_and_loses_nothing(probe: Probe, orders: list[UUID]) -> None:
    probe.start_relay()
    for _ in range(4):
        probe.tell(orders=orders, times=EVENTS)
        worker = probe.start_worker()
        probe.wait_for_more_notes()
        worker.ask_to_stop()
        worker.wait(seconds=8)
        assert worker.exit_code == 0

    probe.start_worker()

    probe.wait_until_all_is_noted()
    probe.require_invariants()


def test_offsets_set_back_to_the_beginning_bring_nothing_twice(probe: Probe, orders: list[UUID]) -> None:
    probe.start_relay()
    first = probe.start_worker()
    probe.tell(orders=orders, times=EVENTS)
    probe.wait_until_all_is_noted()
    first.stop(seconds=8)
    _set_back_offsets(group=probe.group)

    probe.start_worker()
    probe.tell(orders=orders)

    probe.wait_until_all_is_noted()
    probe.require_invariants()


@pytest.mark.faults
def test_members_that_come_and_go_leave_no_partition_stuck(probe: Probe, orders: list[UUID]) -> None:
    probe.start_relay()
    probe.start_worker()
    for _ in range(6):
        passing = probe.start_worker()
        probe.tell(orders=orders, times=EVENTS)
        probe.wait_until_all_is_noted()
        passing.stop(seconds=8)
        probe.tell(orders=orders)
        probe.wait_until_all_is_noted()

    probe.require_invariants()


def _end_sessions(database: Any, *, of: str) -> int:
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
    ended = database.execute(query, [of]).rowcount
    database.commit()
    return int(ended)


def _set_back_offsets(*, group: str) -> None:
    consumer = KafkaConsumer(
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"].split(","),
        group_id=group,
        enable_auto_commit=False,
    )
    partitions = [TopicPartition("orders", number) for number in consumer.partitions_for_topic("orders")]
    consumer.assign(partitions)
    beginnings = consumer.beginning_offsets(partitions)
    consumer.commit({one: OffsetAndMetadata(offset, "", -1) for one, offset in beginnings.items()})
    consumer.close(autocommit=False)
