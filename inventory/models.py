"""Stock, and what is held of it for orders.

What staff ever put in or took out of a product equals what is for sale of it and what is held for orders:
sum of adjustments = available + pieces of held reservations.
"""

from django.db import models
from django.db.models import Q


class StockItem(models.Model):
    """How many pieces of a product anybody may still buy; its row is locked before the number changes."""

    sku = models.CharField(max_length=64, primary_key=True)
    available = models.IntegerField()

    class Meta:
        ordering = ["sku"]
        default_permissions = ("view", "add", "change")
        constraints = [
            models.CheckConstraint(name="stock_is_never_oversold", condition=Q(available__gte=0)),
        ]
        indexes = [models.Index(fields=["available", "sku"], name="stock_scarcest_first")]

    def __str__(self) -> str:
        return self.sku


class StockAdjustment(models.Model):
    """Pieces that came in or went out by hand, who said so and why."""

    stock_item = models.ForeignKey(
        StockItem, on_delete=models.PROTECT, db_column="sku", related_name="adjustments"
    )
    quantity = models.IntegerField(help_text="More than zero: pieces came in. Less: pieces went out.")
    note = models.CharField(max_length=200)
    adjusted_by = models.CharField(max_length=150, blank=True)
    adjusted_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(name="adjustment_changes_something", condition=~Q(quantity=0))]

    def __str__(self) -> str:
        return f"{self.quantity:+} {self.stock_item_id}"


class ReservationStatus(models.TextChoices):
    """What became of an order's wish for stock."""

    HELD = "held", "held"
    RELEASED = "released", "released"
    REFUSED = "refused", "refused"


class Reservation(models.Model):
    """The answer to one order; its row is locked before anything about it changes or is published."""

    order_id = models.UUIDField(primary_key=True)
    status = models.CharField(max_length=20, choices=ReservationStatus)
    version = models.BigIntegerField(default=1)
    hold_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["-created_at"], name="reservation_newest")]
        constraints = [
            models.CheckConstraint(
                name="reservation_status_is_known",
                condition=Q(status__in=ReservationStatus.values),
            ),
            models.CheckConstraint(
                name="reservation_held_has_an_end",
                condition=Q(status=ReservationStatus.REFUSED) ^ Q(hold_expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="reservation_released_says_when",
                condition=Q(status=ReservationStatus.RELEASED) ^ Q(released_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} for order {self.order_id}"


class ReservationLine(models.Model):
    """Pieces of one product that are or were held for an order; a refused reservation has none."""

    # No index of its own: that of the constraint below begins with it.
    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, db_column="order_id", related_name="lines", db_index=False
    )
    position = models.SmallIntegerField()
    stock_item = models.ForeignKey(
        StockItem, on_delete=models.PROTECT, db_column="sku", related_name="+", db_index=False
    )
    title = models.TextField()
    quantity = models.IntegerField()
    unit_price = models.BigIntegerField(help_text="Minor units.")

    class Meta:
        ordering = ["position"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["stock_item"], name="reservation_line_by_sku")]
        constraints = [
            models.UniqueConstraint(
                name="reservation_line_position_once", fields=["reservation", "position"]
            ),
            models.CheckConstraint(name="reservation_line_quantity_positive", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.stock_item_id}"  # noqa: RUF001  (the multiplication sign is meant)
