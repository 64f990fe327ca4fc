"""What each event adds to the read models: pure functions, shared by the worker and the rebuild."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from events import Event, Received
from events.notifications import EmailSent
from events.orders import OrderCancelled, OrderCompleted, OrderConfirmed, OrderPlaced, OrderRejected
from events.payments import PaymentCaptured, PaymentDeclined, PaymentRefunded
from events.shipments import ShipmentDispatched

HEARD: list[type[Event]] = [
    *(OrderPlaced, OrderConfirmed, OrderRejected, OrderCancelled, OrderCompleted),
    *(PaymentCaptured, PaymentDeclined, PaymentRefunded, ShipmentDispatched, EmailSent),
]


class HourKey(NamedTuple):
    """Which figure of which hour; `currency` is empty for counts."""

    hour: datetime
    figure: str
    currency: str


class ProductKey(NamedTuple):
    """Which of a product's figures: ordered, sold or revenue."""

    sku: str
    currency: str
    figure: str


class Figures:
    """What a number of `events` add up to; `titles` has the last title seen of each product."""

    def __init__(self) -> None:
        self.events = 0
        self.hours: Counter[HourKey] = Counter()
        self.products: Counter[ProductKey] = Counter()
        self.titles: dict[str, str] = {}

    def add(self, events: Iterable[Received[Any]]) -> "Figures":
        """Add these events; returns itself."""
        for event in events:
            self.events += 1
            hour = event.at.replace(minute=0, second=0, microsecond=0)
            for figure, currency, value in _hourly(event.data):
                self.hours[HourKey(hour, figure, currency)] += value
            for key, value in _of_products(event.data):
                self.products[key] += value
            if isinstance(event.data, OrderPlaced):
                self.titles.update({line.sku: line.title for line in event.data.lines})
        return self


def _hourly(fact: object) -> Iterator[tuple[str, str, int]]:
    match fact:
        case OrderPlaced():
            yield "placed", "", 1
        case OrderConfirmed():
            yield "confirmed", "", 1
        case OrderRejected(reason=reason):
            yield reason, "", 1
        case OrderCancelled():
            yield "cancelled", "", 1
        case OrderCompleted():
            yield "completed", "", 1
        case ShipmentDispatched():
            yield "shipped", "", 1
        case PaymentDeclined():
            yield "declines", "", 1
        case EmailSent():
            yield "mails", "", 1
        case PaymentCaptured(amount=amount, currency=currency):
            yield "captured", currency, amount
        case PaymentRefunded(amount=amount, currency=currency):
            yield "refunded", currency, amount


def _of_products(fact: object) -> Iterator[tuple[ProductKey, int]]:
    match fact:
        case OrderPlaced(lines=lines, currency=currency):
            for line in lines:
                yield ProductKey(line.sku, currency, "ordered"), line.quantity
        case OrderCompleted(lines=lines, currency=currency):
            for line in lines:
                yield ProductKey(line.sku, currency, "sold"), line.quantity
                yield ProductKey(line.sku, currency, "revenue"), line.quantity * line.unit_price
