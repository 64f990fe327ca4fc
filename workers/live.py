"""The live feed and its sockets: each web process hears the topics itself and hints its own open pages.

One thread reads without a group, from the end. Records of orders that no socket of this process waits for are
skipped by their key, before anything is decoded.
"""

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from kafka import TopicPartition
from kafka.errors import KafkaError

from workers.failures import DependencyDown
from workers.kafka_clients import bare_consumer
from workers.record import record_from_kafka

logger = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013
_POLL_MS = 500
_RETRY_SECONDS = 1.0
_FEED_SECONDS = 5.0


class LiveFeed:
    """Hints to the sockets of this process about the orders that they watch.

    daphne tells nobody when its event loop starts, so the loop is taken, and the thread started, at the first
    `ready()`.
    """

    def __init__(self, *, topics: Sequence[str]) -> None:
        self._topics = topics
        self._sockets: dict[bytes, set[LiveSocket]] = {}
        self._hints: set[asyncio.Task[None]] = set()  # an event loop keeps no task alive
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

    def add(self, *, key: str, socket: "LiveSocket") -> None:
        """Hint the socket about this key from now on, until it is removed."""
        self._sockets.setdefault(key.encode(), set()).add(socket)

    def remove(self, *, key: str, socket: "LiveSocket") -> None:
        """Hint the socket no longer."""
        others = self._sockets.get(key.encode(), set())
        others.discard(socket)
        if not others:
            self._sockets.pop(key.encode(), None)

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
                        if consumed.key in self._sockets:
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
        sequence = record_from_kafka(consumed).header("sequence")
        if sequence.isdigit() and self._loop:
            self._loop.call_soon_threadsafe(self._tell, consumed.key, int(sequence))

    def _tell(self, key: bytes, sequence: int) -> None:
        for socket in self._sockets.get(key, ()):
            hint = asyncio.ensure_future(socket.live_hint(sequence=sequence))
            self._hints.add(hint)
            hint.add_done_callback(self._hints.discard)


class LiveSocket(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """A page's socket that passes on what its `feed` hints about one key; what a page might say is ignored.

    A subclass names the feed, and calls `watch` once it knows whose page it is. Hints come to it straight from the
    feed of its process, through no channel layer (docs/decisions/0022).
    """

    feed: LiveFeed
    _watched = ""

    async def live_hint(self, *, sequence: int) -> None:
        """Tell the page that there is news: what it watches has come to this `sequence`."""
        raise NotImplementedError

    async def watch(self, *, key: str) -> bool:
        """Get the hints about this key from now on; closes the socket and says False while there is no feed."""
        if not await self.feed.ready(timeout=_FEED_SECONDS):
            await self.close(code=TRY_AGAIN_LATER)
            return False
        self._watched = key
        self.feed.add(key=key, socket=self)
        return True

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  (Channels calls it with the code)
        if self._watched:
            self.feed.remove(key=self._watched, socket=self)
            self._watched = ""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Ignore it, be it JSON or not."""
