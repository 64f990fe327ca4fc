"""Parcels."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Parcel(models.Model):
    """The parcel of one order. `due_at` is when its next step is due; null when there is none."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting to be packed"
        PACKED = "packed", "Packed"
        DISPATCHED = "dispatched", "Dispatched"
        DELIVERED = "delivered", "Delivered"
        STOPPED = "stopped", "Stopped"

    id = models.UUIDField(primary_key=True)
    order_id = models.UUIDField(unique=True)
    order_number = models.CharField(max_length=12)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    version = models.PositiveIntegerField(default=0)
    ship_to = models.JSONField()
    lines = models.JSONField()
    cause = models.JSONField(
        null=True, help_text="Of the confirmation; what the parcel tells belongs to its trace."
    )
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.CharField(max_length=30, null=True)  # noqa: DJ001  (none until it leaves)
    estimated_delivery_on = models.DateField(null=True)
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    packed_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tracking_number"], name="parcel_tracking_number_once"),
            models.CheckConstraint(
                name="parcel_status_known",
                condition=Q(status__in=["waiting", "packed", "dispatched", "delivered", "stopped"]),
            ),
            models.CheckConstraint(
                name="a_parcel_at_rest_has_no_next_step",
                condition=Q(status__in=["delivered", "stopped"]) ^ Q(due_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_parcel_leaves_with_a_tracking_number",
                condition=~Q(status__in=["dispatched", "delivered"]) | Q(tracking_number__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="parcel_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.tracking_number or f"{self.status} for {self.order_number}"
