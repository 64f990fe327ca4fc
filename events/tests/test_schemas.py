"""A published version of an event may only gain optional fields."""

from copy import deepcopy

import pytest

from events.declaration import declaration_of, declarations
from events.orders import OrderRejected
from events.schemas import FOLDER, Schema, incompatibilities, published_schema, schema_of


def test_every_event_is_published_as_it_is_declared() -> None:
    stale = [
        one.name for one in declarations() if published_schema(declaration=one) != schema_of(declaration=one)
    ]
    assert stale == [], "run manage.py export_events and commit what it writes"


def test_nothing_published_is_forgotten() -> None:
    names = {f"{one.name}.json" for one in declarations()}
    assert {file.name for file in FOLDER.iterdir()} == names


@pytest.fixture
def published() -> Schema:
    return schema_of(declaration=declaration_of(OrderRejected))


def test_an_optional_field_may_be_added(published: Schema) -> None:
    current = deepcopy(published)
    current["$defs"]["OrderRejected"]["properties"]["note"] = {"type": "string", "default": ""}
    assert incompatibilities(published=published, current=current) == []


def test_a_required_field_may_not_be_added(published: Schema) -> None:
    current = deepcopy(published)
    current["$defs"]["OrderRejected"]["properties"]["note"] = {"type": "string"}
    current["$defs"]["OrderRejected"]["required"].append("note")
    assert incompatibilities(published=published, current=current) == ["OrderRejected.note is required now"]


def test_a_field_may_not_go(published: Schema) -> None:
    current = deepcopy(published)
    del current["$defs"]["OrderRejected"]["properties"]["reason"]
    assert "OrderRejected.reason is gone" in incompatibilities(published=published, current=current)


def test_a_field_may_not_become_something_else(published: Schema) -> None:
    current = deepcopy(published)
    current["$defs"]["OrderRejected"]["properties"]["number"] = {"type": "integer"}
    assert incompatibilities(published=published, current=current) == [
        "OrderRejected.number is something else now"
    ]
