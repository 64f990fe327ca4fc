"""Topic `shipments`: where the parcel of an order is."""

from datetime import date, datetime

from events.declaration import Event, event


@event(topic="shipments")
class ShipmentDispatched(Event, frozen=True, kw_only=True):
    """The carrier has the parcel."""

    carrier: str
    tracking_number: str
    estimated_delivery_on: date


@event(topic="shipments")
class ShipmentDelivered(Event, frozen=True, kw_only=True):
    """The parcel was handed over."""

    tracking_number: str
    delivered_at: datetime
