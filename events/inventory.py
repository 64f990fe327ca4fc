"""Topic `inventory`: what became of the stock that an order wants."""

from datetime import datetime
from typing import Literal

from events.declaration import Event, event
from events.values import Line, Shortage


@event(topic="inventory")
class StockReserved(Event, frozen=True, kw_only=True):
    """Every piece of the order is held for it until `hold_expires_at`."""

    lines: tuple[Line, ...]
    hold_expires_at: datetime


@event(topic="inventory")
class StockRejected(Event, frozen=True, kw_only=True):
    """At least one product is short, so nothing is held."""

    shortages: tuple[Shortage, ...]


@event(topic="inventory")
class StockReleased(Event, frozen=True, kw_only=True):
    """The pieces that were held for the order are for sale again."""

    lines: tuple[Line, ...]
    reason: Literal["rejected", "cancelled"]
