"""Gauges that are read from the database and from Kafka at the moment they are asked for.

The relay tells them, for all workers: it runs always, and a worker that is dead could not tell how much waits for
it. With several relays each tells the same, so rules take the `max` of a reading and never its `sum`.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence

from django.db import DatabaseError, connection
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from workers import metrics
from workers.backlog import Backlog, Dead, Parked, read_backlog
from workers.failures import DependencyDown
from workers.groups import Group, Observer
from workers.metrics import Reading
from workers.worker import all_workers

logger = logging.getLogger(__name__)

_KAFKA_TIMEOUT_MS = 3_000
_GOOD_FOR_SECONDS = 5.0

Sample = tuple[Sequence[str], float]


class Readings(Collector):
    """What the relay adds to its `/metrics`. A source that does not answer is left out and said to be away."""

    def __init__(self) -> None:
        self._observer = Observer(timeout_ms=_KAFKA_TIMEOUT_MS)
        self._lock = threading.Lock()
        self._families: list[GaugeMetricFamily] = []
        self._read_at = -_GOOD_FOR_SECONDS

    def register(self, registry: CollectorRegistry) -> None:
        """Be part of every scrape from now on."""
        registry.register(self)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name the families without reading them."""
        return (_family(one, []) for one in metrics.READINGS)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read, unless somebody else has just done so."""
        with self._lock:
            if time.monotonic() - self._read_at >= _GOOD_FOR_SECONDS:
                self._families = [*self._from_database(), *self._from_kafka()]
                self._read_at = time.monotonic()
            yield from self._families

    def _from_database(self) -> Iterator[GaugeMetricFamily]:
        families: list[GaugeMetricFamily] = []
        try:
            families = list(_backlog_families(read_backlog()))
        except DatabaseError as error:
            logger.warning("the backlog cannot be read: %s", error)
        finally:
            connection.close()  # the thread of a scrape ends with it
        yield from families
        yield _family(metrics.SOURCE_UP, [(["database"], float(bool(families)))])

    def _from_kafka(self) -> Iterator[GaugeMetricFamily]:
        groups: list[Group] = []
        try:
            groups = self._observer.read_groups(workers=all_workers())
        except DependencyDown as error:
            logger.warning("the consumer groups cannot be read: %s", error)
        yield from _group_families(groups)
        yield _family(metrics.SOURCE_UP, [(["kafka"], float(bool(groups)))])


def _backlog_families(backlog: Backlog) -> Iterator[GaugeMetricFamily]:
    names = sorted({worker.name for worker in all_workers()} | backlog.parked.keys() | backlog.dead.keys())
    parked = {name: backlog.parked.get(name, Parked()) for name in names}
    dead = {name: backlog.dead.get(name, Dead()) for name in names}
    yield _family(metrics.OUTBOX_PENDING, [([], backlog.outbox.pending)])
    yield _family(metrics.OUTBOX_OLDEST_AGE, [([], backlog.outbox.oldest_age_seconds)])
    yield _family(metrics.OUTBOX_BLOCKED, [([], backlog.outbox.blocked)])
    yield _family(metrics.PARKED_EVENTS, [([name], one.events) for name, one in parked.items()])
    yield _family(
        metrics.PARKED_OLDEST_AGE, [([name], one.oldest_age_seconds) for name, one in parked.items()]
    )
    yield _family(metrics.DEAD_LETTERS_OPEN, [([name], one.open) for name, one in dead.items()])
    yield _family(
        metrics.DEAD_LETTERS_OLDEST_AGE, [([name], one.oldest_age_seconds) for name, one in dead.items()]
    )
    yield _family(metrics.DEAD_LETTER_CAUSES, [([name], one.causes) for name, one in dead.items()])


def _group_families(groups: Sequence[Group]) -> Iterator[GaugeMetricFamily]:
    lags = [
        ([group.worker, lag.topic, str(lag.partition)], lag) for group in groups for lag in group.partitions
    ]
    yield _family(metrics.LAG_RECORDS, [(labels, lag.records) for labels, lag in lags])
    yield _family(metrics.LAG_SECONDS, [(labels, lag.seconds) for labels, lag in lags])
    yield _family(metrics.GROUP_MEMBERS, [([group.worker], group.members) for group in groups])


def _family(declared: Reading, samples: Sequence[Sample]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(declared.name, declared.meaning, labels=declared.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
