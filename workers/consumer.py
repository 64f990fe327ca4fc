"""The loop of a worker: poll, handle, commit; between polls, periodic work and parked orders."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, connection
from kafka import ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from kafka.errors import CommitFailedError, KafkaError

from events.declaration import find_declaration
from workers import metrics
from workers.batch import Plan, handle
from workers.breaker import BreakerOpen
from workers.calls import Caller
from workers.failures import DependencyDown
from workers.health import Pulse
from workers.inbox import KAFKA
from workers.kafka_clients import group_consumer
from workers.parked import renew_leases, retry_due, settle_calls
from workers.periodic import Clock
from workers.progress import Progress
from workers.record import TYPE_HEADER, is_wanted, open_record, record_from_kafka, text_of
from workers.stopping import Stop
from workers.worker import Worker

logger = logging.getLogger(__name__)

_POLL_MS = 200
_COMMIT_TIMEOUT_MS = 10_000
_NO_EPOCH = -1
# A commit for every event would cost the broker and the loop more than most handlers do.
_COMMIT_EVERY_SECONDS = 1.0
_LOOK_AT_PARKED_SECONDS = 0.5
_RENEW_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 5.0
_UNASSIGNED_SECONDS = 20.0
_SIT_OUT_SECONDS = 0.25
_LOOK_AT_PROGRESS_SECONDS = 10.0
_PROGRESS_TIMEOUT_MS = 5_000


class ConsumerLoop:
    """One process of a worker's consumer group.

    Offsets are committed some time after the batch's transaction, so a crash can only deliver again.
    """

    def __init__(self, *, worker: Worker, stop: Stop, pulse: Pulse) -> None:
        self._worker = worker
        self._stop = stop
        self._pulse = pulse
        self._caller: Caller[Plan] = Caller(pulse=pulse)
        self._clock = Clock(worker=worker)
        self._look_at_parked = 0.0
        self._renew_at = 0.0

    def run(self) -> None:
        """Work until asked to stop. Kafka or the database being away is waited out."""
        pause = Pause(stop=self._stop, pulse=self._pulse)
        patience_seconds = _UNASSIGNED_SECONDS
        while not self._stop.asked:
            try:
                with Subscription(worker=self._worker, patience_seconds=patience_seconds) as subscription:
                    self._work(subscription, pause)
            except NeverAssigned as left_out:
                logger.warning("%s: %s", self._worker.name, left_out)
                patience_seconds *= 2
            except DependencyDown as down:
                pause.wait(down)
        self._finish_calls()
        connection.close()

    def _finish_calls(self) -> None:
        self._caller.close()
        try:
            settle_calls(worker=self._worker, caller=self._caller)
        except (DependencyDown, DatabaseError) as error:
            logger.warning("%s: calls not recorded, they are made again later: %s", self._worker.name, error)

    def _work(self, subscription: "Subscription", pause: "Pause") -> None:
        while not self._stop.asked:
            self._pulse.beat(waiting_for=self._worker.breaker.reason)
            if self._worker.breaker.is_open:
                self._sit_out(subscription)
                continue
            polled = subscription.poll()
            try:
                self._turn(polled)
            except BreakerOpen:
                subscription.rewind(polled)
            except DependencyDown as down:
                subscription.rewind(polled)
                pause.wait(down, keep_alive=subscription.keep_alive)
            else:
                subscription.done_with(polled)
                pause.over()

    def _turn(self, polled: Sequence[Any]) -> None:
        with _database_may_be_down():
            self._handle(polled)
            self._tend()
            self._retry_parked()

    def _sit_out(self, subscription: "Subscription") -> None:
        """Take no records while the breaker is open, but go on with all that is under way."""
        subscription.keep_alive()
        with suppress(DependencyDown), _database_may_be_down():
            self._tend()
        self._stop.wait(_SIT_OUT_SECONDS)

    def _tend(self) -> None:
        settle_calls(worker=self._worker, caller=self._caller)
        self._clock.run_due(caller=self._caller)
        self._renew_leases()

    def _handle(self, polled: Sequence[Any]) -> None:
        wanted = [one for one in polled if self._is_wanted(one)]
        if not wanted:
            return
        records = [record_from_kafka(one) for one in wanted]
        deliveries = [open_record(worker=self._worker, record=record) for record in records]
        handle(worker=self._worker, deliveries=deliveries, source=KAFKA, caller=self._caller)
        now = datetime.now(UTC)
        for delivery in deliveries:
            if delivery.event:
                age = (now - delivery.event.at).total_seconds()
                metrics.end_to_end_seconds.labels(self._worker.name).observe(max(age, 0))

    def _is_wanted(self, polled: Any) -> bool:
        event_type = text_of(headers=polled.headers, name=TYPE_HEADER)
        if is_wanted(worker=self._worker, event_type=event_type):
            return True
        if find_declaration(name=event_type) is None:
            metrics.records.labels(self._worker.name, polled.topic, "undeclared").inc()
            place = f"{polled.topic}/{polled.partition}@{polled.offset}"
            logger.warning("%s: nobody declares %r at %s", self._worker.name, event_type, place)
        return False

    def _renew_leases(self) -> None:
        if time.monotonic() >= self._renew_at:
            self._renew_at = time.monotonic() + _RENEW_SECONDS
            renew_leases(worker=self._worker, caller=self._caller)

    def _retry_parked(self) -> None:
        if time.monotonic() < self._look_at_parked:
            return
        if retry_due(worker=self._worker, caller=self._caller) == 0:
            self._look_at_parked = time.monotonic() + _LOOK_AT_PARKED_SECONDS


@contextmanager
def _database_may_be_down() -> Iterator[None]:
    try:
        connection.close_if_unusable_or_obsolete()
        yield
    except DatabaseError as error:
        connection.close()
        raise DependencyDown(f"the database ({error})") from error


class NeverAssigned(Exception):
    """The group gave this member no partition for so long that joining anew is worth a try."""


class Subscription:
    """The worker's membership in its consumer group, from joining to leaving.

    A member without partitions may be one too many, or its client may have got stuck while it joined. From
    here the two look the same, so after `patience_seconds` without any it joins anew.

    What has been handled is committed once a second under load, and when there is nothing to do, when partitions
    are given up and when the membership ends: never more than what was said to be done.
    """

    def __init__(self, *, worker: Worker, patience_seconds: float) -> None:
        self._worker = worker
        self._patience_seconds = patience_seconds
        self._unassigned_since: float | None = time.monotonic()
        self._progress = Progress()
        self._look_at_progress = time.monotonic() + _LOOK_AT_PROGRESS_SECONDS
        self._handled: dict[TopicPartition, OffsetAndMetadata] = {}
        self._commit_at = 0.0
        self._consumer = group_consumer(group=worker.name, gather_ms=worker.gather_ms)
        self._consumer.subscribe(
            worker.topics, listener=_Rebalances(worker=worker, give_up=self._commit_in_passing)
        )

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._commit()
        self._consumer.close(autocommit=False, timeout_ms=_COMMIT_TIMEOUT_MS)

    def poll(self) -> list[Any]:
        """Return kafka-python's next records, in order within each partition; empty when none come for a moment."""
        try:
            polled: Mapping[Any, Sequence[Any]] = self._consumer.poll(timeout_ms=_POLL_MS)
        except KafkaError as error:
            raise DependencyDown(f"Kafka ({error!r})") from error
        if not polled:
            self._commit_in_passing()
        if self._unassigned_since is not None:
            self._look_for_partitions(since=self._unassigned_since)
        if time.monotonic() >= self._look_at_progress:
            self._look_at_progress = time.monotonic() + _LOOK_AT_PROGRESS_SECONDS
            self._watch_progress()
        return [consumed for batch in polled.values() for consumed in batch]

    def done_with(self, polled: Sequence[Any]) -> None:
        """Note that these records have been handled; their offsets are committed soon."""
        for one in polled:
            place = TopicPartition(one.topic, one.partition)
            self._handled[place] = OffsetAndMetadata(one.offset + 1, "", _NO_EPOCH)
        if time.monotonic() >= self._commit_at:
            self._commit_in_passing()

    def _commit(self) -> None:
        """Commit what has been handled and wait for the answer; if the group has moved on, it comes again elsewhere."""
        handled, self._handled = self._handled, {}
        if not handled:
            return
        try:
            self._consumer.commit(handled, timeout_ms=_COMMIT_TIMEOUT_MS)
        except (CommitFailedError, KafkaError) as error:
            self._not_committed(error)

    def _commit_in_passing(self) -> None:
        """Commit what has been handled without waiting for the answer.

        It would come late: a broker answers one request of a connection after the other, and the next fetch, which
        may wait for records, is on its way already.
        """
        handled, self._handled = self._handled, {}
        self._commit_at = time.monotonic() + _COMMIT_EVERY_SECONDS
        if handled:
            self._consumer.commit_async(handled, callback=self._note_commit)

    def _note_commit(self, _offsets: object, outcome: object) -> None:
        if isinstance(outcome, BaseException):
            self._not_committed(outcome)

    def _not_committed(self, error: BaseException) -> None:
        logger.warning("%s: offsets not committed, records will come again: %r", self._worker.name, error)

    def rewind(self, polled: Sequence[Any]) -> None:
        """Go back to before these records, in the partitions that are still ours."""
        self._progress.forget()
        first: dict[tuple[str, int], int] = {}
        for record in polled:
            first.setdefault((record.topic, record.partition), record.offset)
        for partition in self._consumer.assignment():
            if (partition.topic, partition.partition) in first:
                self._consumer.seek(partition, first[partition.topic, partition.partition])

    def _watch_progress(self) -> None:
        partitions = self._consumer.assignment()
        try:
            ends = self._consumer.end_offsets(list(partitions), timeout_ms=_PROGRESS_TIMEOUT_MS)
            positions = {one: self._position(one) for one in partitions & ends.keys()}
        except KafkaError as error:
            logger.info("%s: not known how far the topics go: %r", self._worker.name, error)
            return
        self._progress.note(positions=positions, ends=ends)

    def _position(self, partition: Any) -> int | None:
        position: int | None = self._consumer.position(partition, timeout_ms=_PROGRESS_TIMEOUT_MS)
        return position

    def _look_for_partitions(self, *, since: float) -> None:
        if self._consumer.assignment():
            self._unassigned_since = None
        elif time.monotonic() - since > self._patience_seconds:
            raise NeverAssigned(
                f"no partition within {self._patience_seconds:.0f} s of joining; joining anew"
            )

    def keep_alive(self) -> None:
        """Stay a member of the group without taking records."""
        self._progress.forget()
        assigned = self._consumer.assignment()
        self._consumer.pause(*assigned)
        given = self._consumer.poll(timeout_ms=0)
        self._consumer.resume(*(assigned & self._consumer.assignment()))
        # A partition that came with a rebalance just now was not paused.
        self.rewind([consumed for batch in given.values() for consumed in batch])


class Pause:
    """Waiting for a dependency to come back, a little longer each time."""

    def __init__(self, *, stop: Stop, pulse: Pulse) -> None:
        self._stop = stop
        self._pulse = pulse
        self._seconds = 0.0

    def wait(self, down: DependencyDown, keep_alive: Any = None) -> None:
        """Wait one period; the event that met the closed door loses no attempt."""
        self._seconds = min(_LONGEST_PAUSE_SECONDS, self._seconds * 2 or 0.25)
        logger.warning("paused for %.2f s: %s is down", self._seconds, down)
        self._pulse.beat(waiting_for=str(down))
        self._stop.wait(self._seconds)
        if keep_alive:
            keep_alive()

    def over(self) -> None:
        """Forget the waiting: things work again."""
        self._seconds = 0.0


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, *, worker: Worker, give_up: Callable[[], None]) -> None:
        self._worker = worker
        self._give_up = give_up

    def on_partitions_revoked(self, _revoked: object) -> None:
        self._give_up()

    def on_partitions_assigned(self, assigned: object) -> None:
        metrics.rebalances.labels(self._worker.name).inc()
        logger.info("%s: assigned %s", self._worker.name, assigned)
