"""What an event is, and how a type is declared.

A type is declared once, as a frozen struct under `@event(...)`. Its name on the wire, its schema, its
place in the documents and its validation are all read off that one declaration.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar
from uuid import UUID

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one thing, whose key is that of the record: what happens to it stays in order."""

    @property
    def key(self) -> str:
        """What names the thing: the same for all facts about it."""
        raise NotImplementedError(f"{type(self).__name__} does not say which thing it is about.")


class Event(Fact, frozen=True, kw_only=True):
    """A fact about one order, as nearly all of them are."""

    order_id: UUID

    @property
    def key(self) -> str:
        """The order's id."""
        return str(self.order_id)


E = TypeVar("E", bound=Fact)


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """One declared type: `name` is `<topic>.<snake_case_name>.v<version>`."""

    name: str
    topic: str
    version: int
    struct: type[Fact]

    @property
    def summary(self) -> str:
        """The first paragraph of the event's docstring, on one line."""
        paragraph = (self.struct.__doc__ or "").strip().split("\n\n")[0]
        return " ".join(paragraph.split())


class DuplicateEvent(TypeError):
    """Two classes claim the same event name."""


class UndeclaredEvent(LookupError):
    """A class or a name that no `@event` declares."""


_by_name: dict[str, Declaration] = {}
_by_struct: dict[type[Fact], Declaration] = {}


def event(*, topic: str, version: int = 1) -> Callable[[type[E]], type[E]]:
    """Declare the decorated struct as an event of `topic`.

    Raises `DuplicateEvent` if that name is taken: a changed event is a new version, not a second class.
    """

    def declare(struct: type[E]) -> type[E]:
        name = f"{topic}.{_snake_case(struct.__name__)}.v{version}"
        if name in _by_name:
            raise DuplicateEvent(f"{name} is declared twice; give the changed event a new version.")
        declaration = Declaration(name=name, topic=topic, version=version, struct=struct)
        _by_name[name] = _by_struct[struct] = declaration
        return struct

    return declare


def declaration_of(struct: type[Fact]) -> Declaration:
    """Return the declaration of an event class; raises `UndeclaredEvent`."""
    try:
        return _by_struct[struct]
    except KeyError:
        raise UndeclaredEvent(
            f"{struct.__qualname__} is no event: declare it with @event(topic=…)."
        ) from None


def find_declaration(*, name: str) -> Declaration | None:
    """Return the declaration with this name on the wire, or None if nobody declared it."""
    return _by_name.get(name)


def declarations() -> Iterator[Declaration]:
    """Yield every declaration, by name."""
    return iter(sorted(_by_name.values(), key=lambda declaration: declaration.name))


def topics() -> list[str]:
    """Return the names of all topics that events are declared for, sorted."""
    return sorted({declaration.topic for declaration in _by_name.values()})


def same_event(*, name: str, other: str) -> bool:
    """Say whether two names differ at most in their version."""
    return _without_version(name) == _without_version(other)


def _without_version(name: str) -> str:
    return re.sub(r"\.v\d+$", "", name)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
