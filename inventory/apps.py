"""The inventory service."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Counts the pieces of each product, and holds them for orders."""

    name = "inventory"
