"""Buyers with accounts, made through the shop's own doors."""

import re

from django.core import mail
from django.core.cache import cache
from django.test import Client

PASSWORD = "grass-orchid-lantern"


def sign_up(*, email: str, client: Client | None = None) -> Client:
    """Open an account with the code that the mail brings, and return its browser."""
    client = client or Client()
    cache.clear()  # of attempts to sign up
    client.post("/account/signup/", {"email": email, "password1": PASSWORD})
    client.post("/account/confirm-email/", {"code": mailed_code()})
    return client


def sign_in(*, email: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    """Sign in, and return the browser."""
    client = client or Client()
    client.post("/account/login/", {"login": email, "password": password})
    return client


def mailed_code() -> str:
    """Return the code in the mail sent last."""
    found = re.search(r"^    (\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200
