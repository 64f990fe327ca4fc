"""Whom we write to about an order, and what was written."""

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


def message_id_of(*, order_id: UUID, kind: str) -> str:
    """Return the Message-ID of an order's mail of this kind."""
    domain = settings.DEFAULT_FROM_EMAIL.rstrip(">").rpartition("@")[2]
    return f"<{order_id}.{kind}@{domain}>"


class Recipient(models.Model):
    """The buyer of one order and what a mail says of it, as the placing of the order told."""

    order_id = models.UUIDField(primary_key=True)
    number = models.CharField(max_length=20)
    token = models.CharField(max_length=64)
    email = models.EmailField()
    name = models.TextField()
    lines: "models.JSONField[Any, Any]" = models.JSONField()
    total = models.BigIntegerField(help_text="Minor units.")
    charges: "models.JSONField[Any, Any]" = models.JSONField(default=dict, db_default={})
    currency = models.CharField(max_length=3)
    language = models.CharField(max_length=10, default="en", db_default="en")
    buyer_id = models.BigIntegerField(null=True, help_text="The buyer's account; empty for a guest.")

    class Meta:
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["number"], name="recipient_by_order_number")]

    def __str__(self) -> str:
        return f"{self.number}, {self.email}"


class Email(models.Model):
    """One mail of one kind about one order; the ledger that nothing is said twice.

    It is `waiting` while the event it tells of has overtaken the placing of its order, so that nobody knows yet
    whom to write to. `overtook` then keeps that event.
    """

    class Status(models.TextChoices):
        """How far a mail has come."""

        WAITING = "waiting", "waiting for the order"
        QUEUED = "queued", "queued"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"

    class Kind(models.TextChoices):
        """What a mail tells."""

        PLACED = "placed", "order placed"
        CONFIRMED = "confirmed", "payment received"
        DECLINED = "declined", "card declined"
        ACTION_REQUIRED = "action_required", "bank asks for approval"
        DISPATCHED = "dispatched", "parcel on its way"
        DELIVERED = "delivered", "parcel delivered"
        REJECTED = "rejected", "order ended unsold"
        CANCELLED = "cancelled", "order cancelled"
        REFUNDED = "refunded", "money sent back"

    id = models.UUIDField(primary_key=True, default=uuid7)
    order_id = models.UUIDField()
    kind = models.CharField(max_length=20, choices=Kind)
    event_id = models.UUIDField()
    status = models.CharField(max_length=10, choices=Status)
    to = models.EmailField(blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    failure = models.TextField(blank=True)
    overtook: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "e-mail"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_mail_per_order_and_kind", fields=["order_id", "kind"]),
            models.CheckConstraint(
                name="mail_status_is_known",
                condition=Q(status__in=["waiting", "queued", "sent", "failed"]),
            ),
            models.CheckConstraint(
                name="mail_waiting_is_tried_again",
                condition=Q(status="waiting", overtook__isnull=False, next_try_at__isnull=False)
                | (~Q(status="waiting") & Q(next_try_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="mail_sent_says_when", condition=Q(status="sent") ^ Q(sent_at__isnull=True)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="mail_newest"),
            models.Index(fields=["to"], name="mail_by_recipient"),
            models.Index(fields=["next_try_at"], name="mail_waiting", condition=Q(status="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.to or self.order_id}"

    @property
    def message_id(self) -> str:
        """The mail's Message-ID: the same however often it is sent, so that a duplicate is known as one."""
        return message_id_of(order_id=self.order_id, kind=self.kind)


class Notice(models.Model):
    """What a mail says, kept for the shop's own pages: one for each mail to a buyer with an account."""

    order_id = models.UUIDField()
    kind = models.CharField(max_length=20, choices=Email.Kind)
    buyer_id = models.BigIntegerField(help_text="The account of the buyer.")
    created_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_notice_per_order_and_kind", fields=["order_id", "kind"]),
        ]
        indexes: ClassVar = [
            models.Index(fields=["buyer_id", "-created_at", "-id"], name="notice_of_buyer"),
            models.Index(fields=["buyer_id"], name="notice_unread", condition=Q(read_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, account {self.buyer_id}"
