"""What changes accounts."""

import secrets

import msgspec
from django.db import transaction
from django.utils import timezone

from accounts.models import Address, User
from events.values import Address as AddressValue

PASSWORD_BYTES = 12


class StaffExists(ValueError):
    """The user name is taken; the message says how to get a new password."""


@transaction.atomic
def create_staff(*, username: str, reset: bool = False) -> str:
    """Create a member of staff with every right, and return the generated password.

    With `reset`, somebody who is there already gets a new password; otherwise that raises `StaffExists`.
    """
    user = User.objects.select_for_update().filter(username=username).first()
    if user and not reset:
        raise StaffExists(f"{username} is there already; --reset gives a new password.")
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user = user or User(username=username)
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
    return password


def remember_address(*, user_id: int, ship_to: AddressValue) -> None:
    """Keep an address for the next order of this account, as the one used last; one known already is kept once."""
    Address.objects.update_or_create(
        user_id=user_id, **msgspec.structs.asdict(ship_to), defaults={"used_at": timezone.now()}
    )


def forget_address(*, user_id: int, address_id: int) -> None:
    """Drop one of this account's addresses; that of another account is left alone."""
    Address.objects.filter(user_id=user_id, pk=address_id).delete()
