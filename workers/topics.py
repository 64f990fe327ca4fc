"""The topics of the declared events, created by a command and never by accident."""

from collections.abc import Mapping

from kafka.errors import KafkaError, TopicAlreadyExistsError

from events.declaration import topics
from workers.failures import DependencyDown
from workers.kafka_clients import admin_client
from workers.record import dead_letter_topic

_TIMEOUT_MS = 30_000


def create_topics(*, partitions: int) -> list[str]:
    """Create every topic that is missing, and its dead letter topic; return the names created.

    The replication factor is 3 where there are three brokers, else their number; of three replicas two must
    have a record before it counts. Raises `DependencyDown` when Kafka cannot be reached.
    """
    admin = admin_client()
    try:
        existing = set(admin.list_topics())
        missing = [name for name in _all_names() if name not in existing]
        replicas = min(3, len(admin.describe_cluster()["brokers"]))
        wanted = {name: _options(partitions=partitions, replicas=replicas) for name in missing}
        if wanted:
            admin.create_topics(wanted, timeout_ms=_TIMEOUT_MS, wait_for_metadata=True)
        return missing
    except TopicAlreadyExistsError:
        return []  # another start was quicker
    except KafkaError as error:
        raise DependencyDown(f"Kafka ({error!r})") from error
    finally:
        admin.close()


def _all_names() -> list[str]:
    return [name for topic in topics() for name in (topic, dead_letter_topic(topic=topic))]


def _options(*, partitions: int, replicas: int) -> Mapping[str, object]:
    in_sync = 2 if replicas >= 3 else 1
    return {
        "num_partitions": partitions,
        "replication_factor": replicas,
        "configs": {"min.insync.replicas": str(in_sync)},
    }
