"""How much memory the relay, a worker and a rebuild take while they work off a backlog of many events."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

import psutil
from django.db import connection, connections, transaction
from uuid_utils.compat import uuid7

from events import Outgoing, Received, publish_all
from events.models import OutboxEvent
from events.orders import OrderAdvanced
from events.wakeup import stop_waking
from workers import Worker
from workers.consumer import ConsumerLoop
from workers.health import Pulse
from workers.relay import Relay
from workers.replay import read_handled
from workers.stopping import Stop
from workers.topics import create_topics

_AT_ONCE = 1_000
_LOOK_SECONDS = 0.2
_GIVE_UP_SECONDS = 1_800.0
_COUNT_TAKEN = "SELECT count(*) FROM workers_inboxentry WHERE consumer = %s"
_QUARTERS = ("after_25_percent", "after_50_percent", "after_75_percent", "at_the_end")

_worker = Worker(f"bench-memory-{uuid7()}", dead_letter="release")


@_worker.on(OrderAdvanced)
def take(_events: Sequence[Received[OrderAdvanced]]) -> None:
    """Do nothing: the inbox has the event."""


def run(*, events: int = 1_000_000) -> dict[str, Any]:
    """Put so many events into the outbox, and watch first the relay, then a worker, then a rebuild handle them.

    To be run beside servers alone (`python -m stack servers`): another relay would take the rows. The figures are
    the resident memory in MB after each quarter of the work.
    """
    create_topics(partitions=3)
    _fill(events=events)
    relay = _watch(body=_relay, is_done=_outbox_is_empty)
    worker = _watch(body=_work, is_done=lambda: _taken() >= events)
    rebuild = _watch(body=_rebuild, is_done=None)
    return {"events": events, "relay": relay, "worker": worker, "rebuild": rebuild}


def _fill(*, events: int) -> None:
    for start in range(0, events, _AT_ONCE):
        with transaction.atomic():
            publish_all([_outgoing() for _ in range(min(_AT_ONCE, events - start))])
    stop_waking()


def _outgoing() -> Outgoing:
    order_id = uuid7()
    told = OrderAdvanced(order_id=order_id, number="WB-BENCH", step="bench", status="placed")
    return Outgoing(event=told, aggregate_type="order", aggregate_id=order_id, version=1)


def _relay() -> None:
    Relay(stop=Stop().on_signals(), pulse=Pulse()).run()


def _work() -> None:
    ConsumerLoop(worker=_worker, stop=Stop().on_signals(), pulse=Pulse()).run()


def _rebuild() -> None:
    with transaction.atomic():
        for _event in read_handled(worker=_worker, structs=[OrderAdvanced]):
            pass


def _watch(*, body: Callable[[], None], is_done: Callable[[], bool] | None) -> dict[str, float]:
    """Run `body` in a process of its own until it is done, or, without `is_done`, until it ends."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=body)
    process.start()
    samples = _sample(process=process, is_done=is_done)
    process.terminate()
    process.join()
    return _by_quarter(samples=samples)


def _sample(*, process: BaseProcess, is_done: Callable[[], bool] | None) -> list[float]:
    watched, deadline, samples = psutil.Process(process.pid), time.monotonic() + _GIVE_UP_SECONDS, [0.0]
    while process.is_alive() and time.monotonic() < deadline and not (is_done and is_done()):
        samples.append(watched.memory_info().rss / 1_000_000)
        time.sleep(_LOOK_SECONDS)
    return samples


def _by_quarter(*, samples: Sequence[float]) -> dict[str, float]:
    ends = [max(0, len(samples) * quarter // 4 - 1) for quarter in range(1, 5)]
    quarters = {name: round(samples[end], 1) for name, end in zip(_QUARTERS, ends, strict=True)}
    return {**quarters, "peak_mb": round(max(samples), 1), "seconds": round(len(samples) * _LOOK_SECONDS, 1)}


def _outbox_is_empty() -> bool:
    return not OutboxEvent.objects.exists()


def _taken() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_TAKEN, [_worker.name])
        [count] = cursor.fetchone()
        return int(count)
