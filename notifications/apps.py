"""The notifications service."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Writes to buyers, once for each thing that is to be said."""

    name = "notifications"
