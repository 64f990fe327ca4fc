"""Whose session this is."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase


def account_of(*, session: SessionBase) -> int | None:
    """Return the id of the account that is signed in with this session, None for a guest's."""
    account = session.get(SESSION_KEY)
    return int(account) if account else None


class NotSignedIn(LookupError):
    """A page for accounts was asked for by a guest; guard its view with `login_required`."""


def require_account(*, session: SessionBase) -> int:
    """Return the id of the account that is signed in with this session; raises `NotSignedIn`."""
    account = account_of(session=session)
    if account is None:
        raise NotSignedIn("Nobody is signed in.")
    return account
