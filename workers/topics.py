"""The topics of the declared events, created by a command and never by accident."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError

from events.declaration import topics
from workers.failures import DependencyDown
from workers.kafka_clients import admin_client
from workers.record import dead_letter_topic

_TIMEOUT_MS = 30_000
_RETENTION = timedelta(days=7)


class KeptTooLong(RuntimeError):
    """A topic could deliver an event again after the inbox has forgotten it."""


def create_topics(*, partitions: int) -> list[str]:
    """Create every topic that is missing, and its dead letter topic; return the names created.

    The replication factor is 3 where there are three brokers, else their number; of three replicas two must
    have a record before it counts. Raises `DependencyDown` when Kafka cannot be reached, and
    `KeptTooLong` when a topic, made here or before, keeps its records as long as the inbox does or longer.
    """
    admin = admin_client()
    try:
        existing = set(admin.list_topics())
        missing = [name for name in _all_names() if name not in existing]
        replicas = min(3, len(admin.describe_cluster()["brokers"]))
        wanted = {name: _options(partitions=partitions, replicas=replicas) for name in missing}
        if wanted:
            admin.create_topics(wanted, timeout_ms=_TIMEOUT_MS, wait_for_metadata=True)
        _check_retention(admin=admin)
        return missing
    except TopicAlreadyExistsError:
        return []  # another start was quicker
    except KafkaError as error:
        raise DependencyDown(f"Kafka ({error!r})") from error
    finally:
        admin.close()


def _check_retention(*, admin: Any) -> None:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, ["retention.ms"]) for name in topics()]
    told = admin.describe_configs(asked, config_filter="all")
    for configs in told.values():
        for name, config in configs.items():
            _require_shorter_than_inbox(topic=name, kept_ms=int(config["retention.ms"]["value"]))


def _require_shorter_than_inbox(*, topic: str, kept_ms: int) -> None:
    days = settings.INBOX_RETENTION_DAYS
    if kept_ms < 0 or timedelta(milliseconds=kept_ms) >= timedelta(days=days):
        raise KeptTooLong(
            f"Topic {topic} keeps records for {kept_ms} ms (-1: for ever), the inbox for {days} days: an event"
            " delivered again after that would be handled twice. Set INBOX_RETENTION_DAYS higher, or the topic's"
            " retention.ms lower."
        )


def _all_names() -> list[str]:
    return [name for topic in topics() for name in (topic, dead_letter_topic(topic=topic))]


def _options(*, partitions: int, replicas: int) -> Mapping[str, object]:
    in_sync = 2 if replicas >= 3 else 1
    return {
        "num_partitions": partitions,
        "replication_factor": replicas,
        "configs": {
            "min.insync.replicas": str(in_sync),
            "retention.ms": str(int(_RETENTION.total_seconds() * 1000)),
        },
    }
