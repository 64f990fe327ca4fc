"""A type is declared once, and everything else is read off the declaration."""

from datetime import UTC, datetime

import msgspec
import pytest
from uuid_utils.compat import uuid7

from events.declaration import (
    DuplicateEvent,
    Event,
    Fact,
    UndeclaredEvent,
    declaration_of,
    declarations,
    event,
    find_declaration,
    topics,
)
from events.inventory import StockReserved
from events.orders import OrderAdvanced, OrderPlaced
from events.stock import StockArrived


def test_the_name_on_the_wire_is_topic_snake_case_name_and_version() -> None:
    declaration = declaration_of(OrderPlaced)
    assert (declaration.name, declaration.topic) == ("orders.order_placed.v1", "orders")
    assert find_declaration(name="orders.order_placed.v1") is declaration


def test_a_name_is_declared_once() -> None:
    with pytest.raises(DuplicateEvent, match="is declared twice"):

        @event(topic="orders")
        class OrderPlaced(Event, frozen=True, kw_only=True):
            """Another class of the same name."""


def test_a_class_nobody_declared_is_no_event() -> None:
    class Rumour(Event, frozen=True, kw_only=True):
        """Never declared."""

    with pytest.raises(UndeclaredEvent, match="Rumour"):
        declaration_of(Rumour)


def test_every_event_says_in_a_sentence_what_it_means() -> None:
    assert [one.name for one in declarations() if not one.summary.endswith(".")] == []


def test_the_topics_are_those_of_the_design() -> None:
    assert topics() == [
        *("inventory", "notifications", "orders", "payments", "products", "shipments", "stock", "wishlists")
    ]


def test_events_cannot_be_changed_after_the_fact() -> None:
    fact = StockReserved(order_id=uuid7(), lines=(), hold_expires_at=datetime.now(UTC))
    with pytest.raises(AttributeError):
        fact.lines = ()  # type: ignore[misc]


def test_a_reader_ignores_fields_it_does_not_know() -> None:
    fact = StockReserved(order_id=uuid7(), lines=(), hold_expires_at=datetime.now(UTC))
    data = {**msgspec.to_builtins(fact), "added_later": 1}
    assert msgspec.json.decode(msgspec.json.encode(data), type=StockReserved) == fact


def test_a_fact_says_which_thing_it_is_about() -> None:
    order_id = uuid7()
    assert StockArrived(sku="FOX-1", available=1).key == "FOX-1"
    assert OrderAdvanced(order_id=order_id, number="", step="", status="").key == str(order_id)
    with pytest.raises(NotImplementedError, match="which thing"):
        _ = Fact().key
