"""What others may know of parcels: frozen values, never rows."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from shipments.models import Parcel


class ParcelValue(msgspec.Struct, frozen=True, kw_only=True):
    """The parcel of an order; `tracking_number` is empty until it has left."""

    status: str
    carrier: str
    tracking_number: str
    estimated_delivery_on: date | None
    dispatched_at: datetime | None
    delivered_at: datetime | None


def parcel_of_order(*, order_id: UUID) -> ParcelValue | None:
    """Return the parcel of an order, or None while there is none to pack."""
    parcel = Parcel.objects.filter(order_id=order_id).first()
    if parcel is None:
        return None
    return ParcelValue(
        status=parcel.status,
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number or "",
        estimated_delivery_on=parcel.estimated_delivery_on,
        dispatched_at=parcel.dispatched_at,
        delivered_at=parcel.delivered_at,
    )
