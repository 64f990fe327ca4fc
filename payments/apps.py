"""The payments service."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Takes and gives back the money of orders."""

    name = "payments"
