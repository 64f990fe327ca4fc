"""Read models: what happened each hour, and how each product sells. Both can be rebuilt from the topics."""

from typing import ClassVar

from django.db import models


class HourlyFigure(models.Model):
    """One figure of one hour: a count, or an amount in minor units where `currency` is set."""

    class Figure(models.TextChoices):
        PLACED = "placed", "Orders placed"
        CONFIRMED = "confirmed", "Orders paid"
        OUT_OF_STOCK = "out_of_stock", "Orders rejected: out of stock"
        PAYMENT_DECLINED = "payment_declined", "Orders rejected: payment declined"
        EXPIRED = "expired", "Orders rejected: hold expired"
        CANCELLED = "cancelled", "Orders cancelled"
        SHIPPED = "shipped", "Parcels dispatched"
        COMPLETED = "completed", "Orders completed"
        DECLINES = "declines", "Cards declined"
        MAILS = "mails", "Mails sent"
        CAPTURED = "captured", "Money captured"
        REFUNDED = "refunded", "Money refunded"

    hour = models.DateTimeField()
    figure = models.CharField(max_length=20, choices=Figure)
    currency = models.CharField(max_length=3, blank=True)
    value = models.BigIntegerField()

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hour", "figure", "currency"], name="a_figure_of_an_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.figure} {self.hour:%Y-%m-%d %H}:00"


class ProductFigures(models.Model):
    """How one product sells: pieces ordered, pieces delivered in completed orders, and what these brought."""

    sku = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    title = models.CharField(max_length=300)
    ordered = models.BigIntegerField()
    sold = models.BigIntegerField()
    revenue = models.BigIntegerField(help_text="Minor units.")

    class Meta:
        verbose_name_plural = "product figures"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sku", "currency"], name="figures_of_a_product_once"),
        ]

    def __str__(self) -> str:
        return self.title
