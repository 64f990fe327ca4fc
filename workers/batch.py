"""How one poll's records reach the handlers: exactly once as far as the database is concerned.

A batch is cut into waves, so that within a wave no two events belong to the same order. Waves of database
handlers run in one transaction together with the inbox; a wave of effects takes two, with the calls between
them. When anything in a transaction fails it is rolled back and its events are replayed one by one, so a bad
event costs only itself.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from django.db import transaction

from events.context import within
from events.declaration import Fact
from events.envelope import Received
from workers import metrics
from workers.calls import Caller
from workers.failures import DependencyDown, FailureKind, kind_of
from workers.patience import Patience
from workers.record import Delivery
from workers.worker import DatabaseHandler, Effect, EffectHandler, Performed, Worker

logger = logging.getLogger(__name__)

H = TypeVar("H", DatabaseHandler, EffectHandler)
Claim = Callable[[Worker, Sequence[Delivery]], set[UUID]]
GiveUp = Callable[[Worker, Delivery, BaseException], None]
SetAside = Callable[[Worker, Delivery], bool]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where deliveries come from, and so how one is taken for good.

    `claim` runs in the transaction of the effect and returns the ids that are ours to handle; `seen` returns
    the ids that need no handling, without taking any; `give_up` puts away an event that failed; `set_aside`
    lets an event's order wait while its call runs on, and says whether that call's outcome is still wanted.
    """

    claim: Claim
    seen: Claim
    give_up: GiveUp
    set_aside: SetAside


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an effect wants to do about one delivery; nothing, where the intent is None."""

    delivery: Delivery
    effect: Effect
    intent: Any


def handle(*, worker: Worker, deliveries: Sequence[Delivery], source: Source, caller: Caller[Plan]) -> None:
    """Handle deliveries in order for each key; raises `DependencyDown` when none can be handled now.

    After `DependencyDown` the same deliveries may be handed in again: what was done is not done twice.
    """
    worker.breaker.admit()
    deliveries = list({delivery.event_id: delivery for delivery in deliveries}.values())
    if worker.breaker.is_trying:
        _try_one(worker=worker, deliveries=deliveries, source=source, caller=caller)
    poisoned = {delivery.line for delivery in deliveries if delivery.poison}
    sound = [delivery for delivery in deliveries if delivery.line not in poisoned]
    for segment in _segments(deliveries=sound):
        _handle_segment(worker=worker, segment=segment, source=source, caller=caller)
    for delivery in deliveries:
        if delivery.line in poisoned:
            _handle_alone(worker=worker, delivery=delivery, source=source, caller=caller)


def _try_one(*, worker: Worker, deliveries: Sequence[Delivery], source: Source, caller: Caller[Plan]) -> None:
    """Handle events alone, one of each order, until one has told the breaker how things are."""
    firsts = {delivery.line: delivery for delivery in reversed(deliveries)}
    for line in worker.breaker.choose(lines=reversed(firsts)):
        if worker.breaker.is_trying:
            _handle_alone(worker=worker, delivery=firsts[line], source=source, caller=caller)
    worker.breaker.admit()


def _handle_segment(
    *, worker: Worker, segment: Sequence[Delivery], source: Source, caller: Caller[Plan]
) -> None:
    if len(segment) == 1:
        return _handle_alone(worker=worker, delivery=segment[0], source=source, caller=caller)
    try:
        _run(worker=worker, segment=segment, source=source, caller=caller)
    except DependencyDown:
        raise
    except Exception as error:
        if kind_of(error) is FailureKind.DEPENDENCY_DOWN:
            raise DependencyDown("database") from error
        logger.info("%s: batch of %d replayed one by one: %r", worker.name, len(segment), error)
        for delivery in segment:
            _handle_alone(worker=worker, delivery=delivery, source=source, caller=caller)


def _handle_alone(*, worker: Worker, delivery: Delivery, source: Source, caller: Caller[Plan]) -> None:
    worker.breaker.admit()
    with within(delivery.context):
        _try_alone(worker=worker, delivery=delivery, source=source, caller=caller)


def _try_alone(*, worker: Worker, delivery: Delivery, source: Source, caller: Caller[Plan]) -> None:
    patience = Patience()
    while True:
        try:
            return _run(worker=worker, segment=[delivery], source=source, caller=caller)
        except DependencyDown:
            raise
        except Exception as error:
            kind = kind_of(error)
            if kind is FailureKind.DEPENDENCY_DOWN:
                raise DependencyDown("database") from error
            if kind is not FailureKind.TRANSIENT or not patience.wait():
                return source.give_up(worker, delivery, error)


def _run(*, worker: Worker, segment: Sequence[Delivery], source: Source, caller: Caller[Plan]) -> None:
    if segment[0].poison:
        raise segment[0].poison
    if _is_effect(segment[0]):
        _run_effects(worker=worker, wave=segment, source=source, caller=caller)
    else:
        _run_in_database(worker=worker, segment=segment, source=source)


def _run_in_database(*, worker: Worker, segment: Sequence[Delivery], source: Source) -> None:
    with transaction.atomic():
        mine = _claimed(worker=worker, deliveries=segment, source=source)
        for wave in _waves(deliveries=mine):
            for handler, deliveries in _by_handler(deliveries=wave, kind=DatabaseHandler):
                with metrics.handler_seconds.labels(worker.name, handler.name).time():
                    handler.function(_events(deliveries=deliveries))
    _count(worker=worker, deliveries=segment, mine=mine)


def _run_effects(*, worker: Worker, wave: Sequence[Delivery], source: Source, caller: Caller[Plan]) -> None:
    with transaction.atomic():
        seen = source.seen(worker, wave)
        fresh = [delivery for delivery in wave if delivery.event_id not in seen]
        planned = list(_prepare(deliveries=fresh))
    calls = caller.start_all([(_performing(plan), plan.intent) for plan in planned])
    started = list(zip(planned, calls, strict=True))
    ended = [(plan, call.result()) for plan, call in started if call.done()]
    prompt = {plan.delivery.event_id for plan, _ in ended}
    for plan, call in started:
        if plan.delivery.event_id not in prompt and source.set_aside(worker, plan.delivery):
            caller.leave_running(plan=plan, call=call)
    record(worker=worker, done=[(plan, end) for plan, end in ended if not failed(end)], source=source)
    for plan, error in [(plan, end) for plan, end in ended if failed(end)]:
        if isinstance(error, DependencyDown):
            raise error
        with within(plan.delivery.context):
            source.give_up(worker, plan.delivery, error)


def _performing(plan: Plan) -> Callable[[Any], Any]:
    """Return the plan's call, as one that knows in its thread which event it is about."""

    def perform(intent: Any) -> Any:
        with within(plan.delivery.context):
            return plan.effect.perform(intent)

    return perform


def _prepare(*, deliveries: Sequence[Delivery]) -> Iterator[Plan]:
    for handler, mine in _by_handler(deliveries=deliveries, kind=EffectHandler):
        intents = handler.effect.prepare(_events(deliveries=mine))
        for delivery, intent in zip(mine, intents, strict=True):
            yield Plan(delivery=delivery, effect=handler.effect, intent=intent)


def record(*, worker: Worker, done: Sequence[tuple[Plan, Any]], source: Source) -> None:
    """Claim the deliveries whose calls have ended well, and let their effects record the outcomes."""
    deliveries = [plan.delivery for plan, _ in done]
    with transaction.atomic():
        mine = _claimed(worker=worker, deliveries=deliveries, source=source)
        ids = {delivery.event_id for delivery in mine}
        ours = [
            (plan, end) for plan, end in done if plan.delivery.event_id in ids and plan.intent is not None
        ]
        for effect in {id(plan.effect): plan.effect for plan, _ in ours}.values():
            effect.record([_performed(plan, end) for plan, end in ours if plan.effect is effect])
    _count(worker=worker, deliveries=deliveries, mine=mine)


def _performed(plan: Plan, outcome: Any) -> Performed[Any, Any, Any]:
    return Performed(event=plan.delivery.event, intent=plan.intent, outcome=outcome)


def failed(outcome: Any) -> bool:
    """Say whether a call ended with an exception instead of an outcome."""
    return isinstance(outcome, BaseException)


def _claimed(*, worker: Worker, deliveries: Sequence[Delivery], source: Source) -> list[Delivery]:
    ids = source.claim(worker, deliveries) if deliveries else set()
    return [delivery for delivery in deliveries if delivery.event_id in ids]


def _segments(*, deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """Cut a batch into pieces of one kind: database events of any number of waves, or one wave of effects."""
    if not any(_is_effect(delivery) for delivery in deliveries):
        yield from [list(deliveries)] if deliveries else []
        return
    for wave in _waves(deliveries=deliveries):
        for _kind, piece in groupby(sorted(wave, key=_is_effect), key=_is_effect):
            yield list(piece)


def _waves(*, deliveries: Iterable[Delivery]) -> list[list[Delivery]]:
    """Cut deliveries into waves: the n-th event of every order is in the n-th wave."""
    waves: list[list[Delivery]] = []
    depth: dict[bytes, int] = defaultdict(int)
    for delivery in deliveries:
        nth = depth[delivery.line]
        depth[delivery.line] += 1
        if nth == len(waves):
            waves.append([])
        waves[nth].append(delivery)
    return waves


def _by_handler(*, deliveries: Iterable[Delivery], kind: type[H]) -> list[tuple[H, list[Delivery]]]:
    grouped: dict[str, tuple[H, list[Delivery]]] = {}
    for delivery in deliveries:
        if isinstance(delivery.handler, kind):
            grouped.setdefault(delivery.handler.name, (delivery.handler, []))[1].append(delivery)
    return list(grouped.values())


def _events(*, deliveries: Iterable[Delivery]) -> list[Received[Fact]]:
    return [delivery.event for delivery in deliveries if delivery.event]


def _is_effect(delivery: Delivery) -> bool:
    return isinstance(delivery.handler, EffectHandler)


def _count(*, worker: Worker, deliveries: Sequence[Delivery], mine: Sequence[Delivery]) -> None:
    for topic, times in Counter(delivery.record.topic for delivery in mine).items():
        metrics.records.labels(worker.name, topic, "ok").inc(times)
    if mine:
        worker.breaker.succeeded()
    if len(mine) < len(deliveries):
        topic = deliveries[0].record.topic
        metrics.records.labels(worker.name, topic, "duplicate").inc(len(deliveries) - len(mine))
