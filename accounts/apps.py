"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users: who may sign in, and as what."""

    name = "accounts"
