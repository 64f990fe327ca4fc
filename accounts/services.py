"""What changes accounts."""

import secrets

from django.db import transaction

from accounts.models import User

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
