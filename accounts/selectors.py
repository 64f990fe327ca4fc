"""What others may know of accounts: frozen values, never rows."""

from collections.abc import Iterable

import msgspec

from accounts.models import Address, User
from events.values import Address as AddressValue

OFFERED = 5


class KeptAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address of somebody's account."""

    id: int
    ship_to: AddressValue


def addresses_of(*, user_id: int) -> tuple[KeptAddress, ...]:
    """Return where somebody's parcels went, the address used last first."""
    rows = Address.objects.filter(user_id=user_id).order_by("-used_at")[:OFFERED]
    return tuple(KeptAddress(id=row.pk, ship_to=_value(row=row)) for row in rows)


def emails_of(*, user_ids: Iterable[int]) -> dict[int, str]:
    """Return the proven address of each account that can be written to. One query."""
    rows = User.objects.filter(pk__in=list(user_ids), is_active=True).exclude(email="")
    return dict(rows.values_list("pk", "email"))


def _value(*, row: Address) -> AddressValue:
    return AddressValue(
        name=row.name,
        line1=row.line1,
        line2=row.line2,
        city=row.city,
        postal_code=row.postal_code,
        country=row.country,
    )
