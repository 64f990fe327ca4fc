"""Whose session this is."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase


def account_of(*, session: SessionBase) -> int | None:
    """Return the id of the account that is signed in with this session, None for a guest's."""
    account = session.get(SESSION_KEY)
    return int(account) if account else None
