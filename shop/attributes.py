"""What may be said of a product: typed attributes, defined by its product type."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class BadAttributes(ValueError):
    """A product's attributes do not fit its type; the message names the attribute and what would fit."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute as its product type defines it. `kind` is text, integer or choice."""

    key: str
    label: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    is_facet: bool = False


def check_attributes(*, definitions: Sequence[Definition], attributes: Mapping[str, Any]) -> None:
    """Raise `BadAttributes` unless every value in `attributes` is defined and of its kind.

    A product may leave out what is not known of it.
    """
    known = {definition.key: definition for definition in definitions}
    for key, value in attributes.items():
        if key not in known:
            raise BadAttributes(
                f"'{key}' is not an attribute of this product type; it has: {', '.join(known)}"
            )
        _check_value(definition=known[key], value=value)


def _check_value(*, definition: Definition, value: Any) -> None:
    expected = _describe_mismatch(definition=definition, value=value)
    if expected:
        raise BadAttributes(f"'{definition.key}' must be {expected}, not {value!r}")


def _describe_mismatch(*, definition: Definition, value: Any) -> str:
    if definition.kind == "integer":
        return "" if type(value) is int else "a whole number"
    if definition.kind == "choice":
        return "" if value in definition.choices else f"one of {', '.join(definition.choices)}"
    return "" if isinstance(value, str) and value.strip() else "text"
