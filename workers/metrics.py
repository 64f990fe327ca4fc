"""Every metric of the runtime, declared once with its meaning."""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

records = Counter(
    "consumer_records_total",
    "Records a worker was given, by what became of them: ok, duplicate, retried, parked, dead, undeclared.",
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
