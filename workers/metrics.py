"""Every metric of the runtime, declared once with its meaning.

What a process counts about itself is a counter or a histogram here, and every process tells its own. What stands in
the database and in Kafka is a `Reading`; the relay reads and tells it (`workers/readings.py`).
"""

import msgspec
from prometheus_client import Counter, Gauge, Histogram


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A gauge whose value is read when it is asked for."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

records = Counter(
    "consumer_records_total",
    "Records by what became of them: ok, duplicate, parked, retried (from its line), dead, undeclared.",
    ["worker", "topic", "outcome"],
)
handler_seconds = Histogram(
    "consumer_handler_seconds",
    "Time a database handler took for one batch.",
    ["worker", "handler"],
    buckets=_FAST,
)
end_to_end_seconds = Histogram(
    "consumer_end_to_end_seconds",
    "Time from an event's publication to the end of the batch that handled it.",
    ["worker"],
    buckets=_FAST,
)
rebalances = Counter("consumer_rebalances_total", "Times a worker's partitions changed.", ["worker"])
breaker_open = Gauge(
    "worker_breaker_open",
    "1 while a worker handles nothing, or one event at a time, because one order after another failed.",
    ["worker"],
)
outbox_publish_seconds = Histogram(
    "outbox_publish_seconds",
    "Time from reading outbox rows to their deletion after Kafka's acknowledgement.",
    buckets=_FAST,
)
outbox_published = Counter("outbox_published_total", "Outbox rows that Kafka acknowledged.")

OUTBOX_PENDING = Reading(
    name="outbox_pending", meaning="Committed events that Kafka does not have yet; counted up to 100,000."
)
OUTBOX_OLDEST_AGE = Reading(
    name="outbox_oldest_age_seconds", meaning="Age of the oldest of them that is not blocked; 0 without any."
)
OUTBOX_BLOCKED = Reading(
    name="outbox_blocked", meaning="Events Kafka can never take; each holds the later ones of its key."
)
LAG_RECORDS = Reading(
    name="consumer_lag_records",
    meaning="Records of a partition that a worker has not committed yet.",
    labels=("worker", "topic", "partition"),
)
LAG_SECONDS = Reading(
    name="consumer_lag_seconds",
    meaning="For how long the first of them has been in Kafka; 0 without any.",
    labels=("worker", "topic", "partition"),
)
GROUP_MEMBERS = Reading(
    name="consumer_group_members", meaning="Processes that share a worker's partitions.", labels=("worker",)
)
PARKED_EVENTS = Reading(
    name="parked_events",
    meaning="Events that wait in lines for a worker, the failed one at the head of each included.",
    labels=("worker",),
)
PARKED_OLDEST_AGE = Reading(
    name="parked_oldest_age_seconds",
    meaning="Since when the oldest of them has failed or waited; 0 without any.",
    labels=("worker",),
)
DEAD_LETTERS_OPEN = Reading(
    name="dead_letters_open",
    meaning="Events a worker has given up on, to be settled by staff.",
    labels=("worker",),
)
DEAD_LETTERS_OLDEST_AGE = Reading(
    name="dead_letters_oldest_age_seconds",
    meaning="How long ago the oldest of them was given up; 0 without any.",
    labels=("worker",),
)
DEAD_LETTER_CAUSES = Reading(
    name="dead_letter_causes_open",
    meaning="How many different failures they come from: worker, event, exception and place in the code.",
    labels=("worker",),
)
SOURCE_UP = Reading(
    name="readings_source_up",
    meaning="1 if the readings from this source (database, kafka) are there, 0 if it did not answer.",
    labels=("source",),
)

READINGS = (
    *(OUTBOX_PENDING, OUTBOX_OLDEST_AGE, OUTBOX_BLOCKED),
    *(LAG_RECORDS, LAG_SECONDS, GROUP_MEMBERS),
    *(PARKED_EVENTS, PARKED_OLDEST_AGE),
    *(DEAD_LETTERS_OPEN, DEAD_LETTERS_OLDEST_AGE, DEAD_LETTER_CAUSES),
    SOURCE_UP,
)
