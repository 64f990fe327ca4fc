"""The live feed: each web process hears the topics itself and hints its own open pages.

One thread reads without a group, from the end. Records of orders that no socket of this process waits for are
skipped by their key, before anything is decoded.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from channels.layers import get_channel_layer
from kafka import TopicPartition
from kafka.errors import KafkaError

from workers.failures import DependencyDown
from workers.kafka_clients import bare_consumer
from workers.record import record_from_kafka

logger = logging.getLogger(__name__)

_POLL_MS = 500
_RETRY_SECONDS = 1.0


def live_group(*, key: str) -> str:
    """Return the name of the channel group that gets the hints about one order."""
    return f"live.{key}"


class LiveFeed:
    """Hints about the orders that somebody watches: `{"type": "live.hint", "key": …, "sequence": N}`.

    daphne tells nobody when its event loop starts, so the loop is taken, and the thread started, at the first
    `ready()`.
    """

    def __init__(self, *, topics: Sequence[str]) -> None:
        self._topics = topics
        self._watched: Counter[bytes] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reading = threading.Event()

    async def ready(self, *, timeout: float) -> bool:
        """Start the feed if need be; say whether it reads from Kafka within `timeout` seconds."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._run, name="live-feed", daemon=True).start()
        if self._reading.is_set():
            return True
        return await asyncio.to_thread(self._reading.wait, timeout)

    def watch(self, *, key: str) -> None:
        """Send hints about this key from now on; call `unwatch` once for each `watch`."""
        self._watched[key.encode()] += 1

    def unwatch(self, *, key: str) -> None:
        """Take back one `watch`."""
        self._watched[key.encode()] -= 1
        if self._watched[key.encode()] <= 0:
            del self._watched[key.encode()]

    def _run(self) -> None:
        while True:
            try:
                self._read()
            except (KafkaError, DependencyDown) as error:
                logger.warning("live feed interrupted: %r", error)
            finally:
                self._reading.clear()
            threading.Event().wait(_RETRY_SECONDS)

    def _read(self) -> None:
        consumer = bare_consumer()
        try:
            self._start_at_the_end(consumer)
            self._reading.set()
            while True:
                for batch in consumer.poll(timeout_ms=_POLL_MS).values():
                    for consumed in batch:
                        if consumed.key in self._watched:
                            self._hint(consumed)
        finally:
            consumer.close(autocommit=False)

    def _start_at_the_end(self, consumer: Any) -> None:
        partitions = [
            TopicPartition(topic, number)
            for topic in self._topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        if not partitions:
            raise DependencyDown(f"topics {', '.join(self._topics)}")
        consumer.assign(partitions)
        for partition, end in consumer.end_offsets(partitions, timeout_ms=10_000).items():
            consumer.seek(partition, end)

    def _hint(self, consumed: Any) -> None:
        record = record_from_kafka(consumed)
        sequence = record.header("sequence")
        if not sequence.isdigit() or self._loop is None:
            return
        key = consumed.key.decode(errors="replace")
        message = {"type": "live.hint", "key": key, "sequence": int(sequence)}
        layer = get_channel_layer()
        asyncio.run_coroutine_threadsafe(layer.group_send(live_group(key=key), message), self._loop)
