"""How a service declares what it hears and what it does.

A `Worker` collects declarations and does nothing by itself; `run_worker NAME` runs it as one Kafka consumer
group. Every mistake that can be seen in a declaration is an error at import.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from events.declaration import Fact, declaration_of
from events.envelope import Received
from workers.breaker import Breaker

E = TypeVar("E", bound=Fact)
IntentT = TypeVar("IntentT")
OutcomeT = TypeVar("OutcomeT")
C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., None])

OnDeadLetter = Literal["hold", "release"]


class DeclarationError(TypeError):
    """A worker is declared in a way that cannot work."""


class Performed(msgspec.Struct, Generic[E, IntentT, OutcomeT], frozen=True, kw_only=True):
    """What came of one intent. `event` is None when periodic work made the intent."""

    event: Received[E] | None
    intent: IntentT
    outcome: OutcomeT


class Effect(Protocol):
    """An I/O handler: what it must do outside goes between two transactions.

    After a crash, `prepare` and `perform` run again for the same event; so the intent carries the key by
    which the outside world recognises the second call.
    """

    def prepare(self, events: Sequence[Received[Any]]) -> Sequence[Any]:
        """In a transaction: return one intent for each event, or None where nothing is to do."""

    def perform(self, intent: Any) -> Any:
        """In a thread, outside any transaction: do it and return the outcome."""

    def record(self, results: Sequence[Performed[Any, Any, Any]]) -> None:
        """In a transaction: write down what came of it, and publish."""


class Sweep(Protocol):
    """Periodic work that speaks to the outside; see `Effect`."""

    def due(self) -> Sequence[Any]:
        """In a transaction: return the intents that are due."""

    def perform(self, intent: Any) -> Any:
        """In a thread, outside any transaction: do it and return the outcome."""

    def record(self, results: Sequence[Performed[Any, Any, Any]]) -> None:
        """In a transaction: write down what came of it, and publish."""


class DatabaseHandler(msgspec.Struct, frozen=True, kw_only=True):
    """A function over a batch of events, run in one transaction with the inbox."""

    name: str
    function: Callable[[Sequence[Received[Any]]], None]


class EffectHandler(msgspec.Struct, frozen=True, kw_only=True):
    """An I/O handler in three steps."""

    name: str
    effect: Effect


Handler = DatabaseHandler | EffectHandler


class Periodic(msgspec.Struct, frozen=True, kw_only=True):
    """Work that a worker does every so many seconds, in one process of its group at a time."""

    name: str
    seconds: float
    function: Callable[[], bool | None] | None = None
    sweep: Sweep | None = None


_workers: dict[str, "Worker"] = {}


class Worker:
    """One service's consumer group: `worker = Worker("inventory", dead_letter="hold")`.

    `dead_letter` says what becomes of the later events of an order when one of its events is dead: `hold`
    keeps them waiting behind it, `release` lets them go on. `gather_ms` is for work that nobody waits for: so many
    milliseconds Kafka gathers events for one batch, where without it each event would be a batch of its own.
    """

    def __init__(self, name: str, *, dead_letter: OnDeadLetter, gather_ms: int = 0) -> None:
        if name in _workers or name == "relay":
            raise DeclarationError(f"There is already a worker named {name!r}; a name is a consumer group.")
        self.name = name
        self.dead_letter = dead_letter
        self.gather_ms = gather_ms
        self.handlers: dict[str, Handler] = {}
        self.periodic: list[Periodic] = []
        self.breaker = Breaker(worker=name)
        _workers[name] = self

    def __repr__(self) -> str:
        return f"Worker({self.name!r})"

    @property
    def topics(self) -> list[str]:
        """The topics this worker reads: those of the events it handles."""
        return sorted({name.split(".")[0] for name in self.handlers})

    def on(self, *events: type[Fact]) -> Callable[[F], F]:
        """Declare a database handler: it gets a batch of these events inside one transaction.

        In one call no two events belong to the same order, and for each order the calls come in the order of
        the topic.
        """

        def declare(function: F) -> F:
            self._add(events=events, handler=DatabaseHandler(name=function.__name__, function=function))
            return function

        return declare

    def effect(self, *events: type[Fact]) -> Callable[[C], C]:
        """Declare an I/O handler: a class with the three steps of `Effect`."""

        def declare(cls: C) -> C:
            _require_methods(cls=cls, names=("prepare", "perform", "record"))
            self._add(events=events, handler=EffectHandler(name=cls.__name__, effect=cls()))
            return cls

        return declare

    def every(self, *, seconds: float) -> Callable[[Any], Any]:
        """Declare periodic work: a function (run in a transaction) or a class with the steps of `Sweep`.

        A function that takes so many rows at a time returns True when more are due: then it runs again at once.
        """

        def declare(work: Any) -> Any:
            self.periodic.append(_periodic(work=work, seconds=seconds))
            return work

        return declare

    def _add(self, *, events: Sequence[type[Fact]], handler: Handler) -> None:
        if not events:
            raise DeclarationError(f"{self.name}.{handler.name} names no event.")
        for struct in events:
            name = declaration_of(struct).name
            if name in self.handlers:
                raise DeclarationError(f"Worker {self.name!r} has two handlers for {name}; merge them.")
            self.handlers[name] = handler


class UnknownWorker(LookupError):
    """No worker of that name is declared."""


def find_worker(*, name: str) -> Worker:
    """Return the worker of that name; raises `UnknownWorker` with the names there are."""
    try:
        return _workers[name]
    except KeyError:
        known = ", ".join(sorted(_workers))
        raise UnknownWorker(f"There is no worker {name!r}. Declared are: {known}.") from None


def all_workers() -> list[Worker]:
    """Return every declared worker, by name."""
    return [_workers[name] for name in sorted(_workers)]


def forget_worker(*, name: str) -> None:
    """Take a worker out of the registry, so that a test can declare it again."""
    _workers.pop(name, None)


def _periodic(*, work: Any, seconds: float) -> Periodic:
    if not isinstance(work, type):
        return Periodic(name=work.__name__, seconds=seconds, function=work)
    _require_methods(cls=work, names=("due", "perform", "record"))
    return Periodic(name=work.__name__, seconds=seconds, sweep=work())


def _require_methods(*, cls: type, names: Sequence[str]) -> None:
    missing = [name for name in names if not callable(getattr(cls, name, None))]
    if missing:
        raise DeclarationError(f"{cls.__name__} lacks {', '.join(missing)}().")
