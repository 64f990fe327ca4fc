"""JSON Schemas of the declared events, and the rule by which a published version may change.

A version is published once its schema stands in `events/published/`. From then on it may only gain optional
fields; anything else is a new version.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from events.declaration import Declaration, declarations

Schema = dict[str, Any]

FOLDER = Path(__file__).parent / "published"


class IncompatibleChange(ValueError):
    """A published event would change in a way its readers cannot follow."""


def schema_of(*, declaration: Declaration) -> Schema:
    """Return the JSON Schema (draft 2020-12) of an event's data."""
    encoded = msgspec.json.encode(msgspec.json.schema(declaration.struct))
    schema = with_sorted_choices(msgspec.json.decode(encoded))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"/schemas/{declaration.name}.json",
        **schema,
    }


def published_schema(*, declaration: Declaration) -> Schema | None:
    """Return the schema this version was published with, or None if it never was."""
    file = _file(declaration=declaration)
    schema: Schema | None = json.loads(file.read_text()) if file.exists() else None
    return schema


def incompatibilities(*, published: Schema, current: Schema) -> list[str]:
    """Return in words what a reader or writer of the published version could not follow."""
    before, after = published["$defs"], current["$defs"]
    return [
        problem
        for name in sorted(before)
        for problem in _compare(name=name, before=before[name], after=after.get(name, {}))
    ]


def publish_schemas() -> list[Path]:
    """Write the schemas of all events that are new or gained optional fields; return the files written.

    Raises `IncompatibleChange` with every problem, and writes nothing, when a published version broke.
    """
    problems = [f"{one.name}: {problem}" for one in declarations() for problem in _problems(declaration=one)]
    if problems:
        listed = "\n".join(problems)
        raise IncompatibleChange(f"Declare a new version beside the old one instead of this:\n{listed}")
    FOLDER.mkdir(exist_ok=True)
    return [_write(declaration=one) for one in declarations() if _is_stale(declaration=one)]


def with_sorted_choices(schema: Any) -> Any:
    """Return a schema whose enumerations are sorted: msgspec gives a Literal's choices in no fixed order."""
    match schema:
        case dict():
            return {
                key: sorted(value) if key == "enum" else with_sorted_choices(value)
                for key, value in schema.items()
            }
        case list():
            return [with_sorted_choices(one) for one in schema]
    return schema


def _problems(*, declaration: Declaration) -> list[str]:
    published = published_schema(declaration=declaration)
    if published is None:
        return []
    return incompatibilities(published=published, current=schema_of(declaration=declaration))


def _compare(*, name: str, before: Schema, after: Schema) -> Iterator[str]:
    old, new = before.get("properties", {}), after.get("properties", {})
    for field in sorted(old.keys() - new.keys()):
        yield f"{name}.{field} is gone"
    for field in sorted(old.keys() & new.keys()):
        if _meaning(old[field]) != _meaning(new[field]):
            yield f"{name}.{field} is something else now"
    was, needs = set(before.get("required", [])), set(after.get("required", []))
    for field in sorted(needs - was):
        yield f"{name}.{field} is required now"
    for field in sorted(was - needs):
        yield f"{name}.{field} was always there and now may be missing"


def _meaning(field: Schema) -> Schema:
    return {key: value for key, value in field.items() if key not in ("description", "title")}


def _is_stale(*, declaration: Declaration) -> bool:
    return published_schema(declaration=declaration) != schema_of(declaration=declaration)


def _write(*, declaration: Declaration) -> Path:
    file = _file(declaration=declaration)
    file.write_text(json.dumps(schema_of(declaration=declaration), indent=2) + "\n")
    return file


def _file(*, declaration: Declaration) -> Path:
    return FOLDER / f"{declaration.name}.json"
