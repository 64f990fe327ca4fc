"""The order: its lines, and the timeline that tells its story."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from events.values import Line


class Order(models.Model):
    """What a buyer bought, and how far it has come.

    `sequence` counts the entries of the timeline. Whoever changes an order locks its row, raises `sequence` by
    one, and writes the entry and the event of that number (`orders.journal`).
    """

    class Status(models.TextChoices):
        PLACED = "placed", "Placed"
        RESERVED = "reserved", "Reserved"
        ACTION_REQUIRED = "action_required", "Waiting for the buyer's bank"
        PAYMENT_DECLINED = "payment_declined", "Payment declined"
        CONFIRMED = "confirmed", "Confirmed"
        SHIPPED = "shipped", "Shipped"
        COMPLETED = "completed", "Completed"
        REJECTED = "rejected", "Rejected"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=12)
    token = models.CharField(max_length=64)
    status = models.CharField(max_length=20, choices=Status, default=Status.PLACED)
    reason = models.CharField(max_length=40, blank=True)
    sequence = models.PositiveIntegerField(default=1)
    short_skus = models.JSONField(default=list, blank=True)
    buyer_id = models.BigIntegerField(null=True, help_text="The buyer's account; empty for a guest.")
    email = models.EmailField()
    ship_to = models.JSONField()
    subtotal = models.PositiveBigIntegerField(help_text="What the lines cost, in minor units.")
    discount = models.PositiveBigIntegerField(default=0, db_default=0)
    coupon = models.CharField(max_length=40, blank=True, default="", db_default="")
    shipping = models.PositiveBigIntegerField(default=0, db_default=0)
    shipping_method = models.CharField(max_length=20, default="standard", db_default="standard")
    total = models.PositiveBigIntegerField(help_text="Minor units.")
    tax_rate = models.PositiveIntegerField(default=0, db_default=0, help_text="Basis points.")
    tax = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Part of the total.")
    currency = models.CharField(max_length=3)
    payment_method = models.CharField(max_length=100)
    card_brand = models.CharField(max_length=40, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    action_url = models.URLField(max_length=500, blank=True)
    decline_code = models.CharField(max_length=60, blank=True)
    paid_amount = models.PositiveBigIntegerField(default=0)
    refunded_amount = models.PositiveBigIntegerField(default=0)
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.CharField(max_length=60, blank=True)
    estimated_delivery_on = models.DateField(null=True)
    hold_expires_at = models.DateTimeField(null=True)
    placed_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001  (null is "none", and unique)
    idempotency_fingerprint = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("cancel_order", "Can cancel orders"),
            ("refund_order", "Can refund orders"),
        ]
        constraints: ClassVar = [
            # As constraints, not as `unique=True`: that makes a second index of each, for LIKE.
            models.UniqueConstraint(fields=["number"], name="order_number_once"),
            models.UniqueConstraint(fields=["token"], name="order_token_once"),
            models.UniqueConstraint(fields=["idempotency_key"], name="order_idempotency_key_once"),
            models.CheckConstraint(
                name="order_status_known",
                condition=Q(
                    status__in=[
                        *("placed", "reserved", "action_required", "payment_declined", "confirmed"),
                        *("shipped", "completed", "rejected", "cancelled"),
                    ]
                ),
            ),
            models.CheckConstraint(
                name="order_total_adds_up",
                condition=Q(total=F("subtotal") - F("discount") + F("shipping"), discount__lte=F("subtotal")),
            ),
            models.CheckConstraint(name="order_tax_is_part_of_total", condition=Q(tax__lte=F("total"))),
            models.CheckConstraint(name="order_currency_is_iso", condition=Q(currency__regex="^[A-Z]{3}$")),
            models.CheckConstraint(
                name="order_refunds_at_most_what_was_paid", condition=Q(refunded_amount__lte=F("paid_amount"))
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-placed_at"], name="order_newest"),
            models.Index(fields=["status", "-placed_at"], name="order_by_status"),
            # In capitals, as Django asks where case does not matter.
            models.Index(Upper("email"), name="order_by_email"),
            models.Index(
                F("buyer_id"),
                F("placed_at").desc(),
                name="order_of_buyer",
                condition=Q(buyer_id__isnull=False),
            ),
            models.Index(
                fields=["updated_at"],
                name="order_owes_money",
                condition=Q(status__in=["rejected", "cancelled"], refunded_amount__lt=F("paid_amount")),
            ),
            models.Index(
                fields=["hold_expires_at"],
                name="order_hold_due",
                condition=Q(status__in=["reserved", "action_required", "payment_declined"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @cached_property
    def told_lines(self) -> tuple[Line, ...]:
        """The order's lines as events tell them; they never change."""
        return tuple(line.told for line in self.lines.order_by("position"))


class OrderLine(models.Model):
    """So many pieces of one product, at the price of the moment of purchase."""

    # No index of its own: that of the constraint below begins with it. So with the timeline.
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    sku = models.CharField(max_length=64)
    title = models.CharField(max_length=300)
    quantity = models.PositiveIntegerField()
    unit_price = models.PositiveBigIntegerField(help_text="Minor units.")
    returned_quantity = models.PositiveIntegerField(
        db_default=0, help_text="Pieces that the buyer has sent back, or asks to."
    )

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position_once"),
            models.CheckConstraint(
                name="order_line_returns_at_most_what_was_bought",
                condition=Q(returned_quantity__lte=F("quantity")),
            ),
            models.CheckConstraint(name="order_line_quantity_positive", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"  # noqa: RUF001  (the multiplication sign is meant)

    @property
    def told(self) -> Line:
        """This line as events tell it."""
        return Line(sku=self.sku, title=self.title, quantity=self.quantity, unit_price=self.unit_price)


class Return(models.Model):
    """Pieces of a delivered order that the buyer wants to send back, and what staff make of it.

    Whoever changes it holds the lock of the order's row. The money goes back when it is approved, the pieces are for
    sale again when they are received.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        RECEIVED = "received", "Received"

    class Reason(models.TextChoices):
        DAMAGED = "damaged", _("It arrived damaged")
        WRONG = "wrong", _("It is not the book I ordered")
        DIFFERENT = "different", _("It is not what I expected")
        UNWANTED = "unwanted", _("I no longer want it")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="returns")
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    reason = models.CharField(max_length=10, choices=Reason)
    amount = models.PositiveBigIntegerField(help_text="What the pieces cost, in minor units.")
    requested_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        permissions: ClassVar = [("decide_return", "Can decide returns and take them in")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="return_status_known",
                condition=Q(status__in=["requested", "approved", "refused", "received"]),
            ),
            models.CheckConstraint(
                name="return_decided_says_when", condition=Q(status="requested") ^ Q(decided_at__isnull=False)
            ),
            models.CheckConstraint(
                name="return_received_says_when", condition=Q(status="received") ^ Q(received_at__isnull=True)
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["requested_at"],
                name="return_under_way",
                condition=Q(status__in=["requested", "approved"]),
            ),
        ]

    def __str__(self) -> str:
        return f"Return of {self.order.number}"


class ReturnLine(models.Model):
    """So many pieces of one line of the order."""

    # No index of its own: that of the constraint below begins with it.
    of = models.ForeignKey(Return, on_delete=models.CASCADE, related_name="lines", db_index=False)
    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="returns")
    quantity = models.PositiveIntegerField()

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["of", "order_line"], name="return_line_once"),
            models.CheckConstraint(name="return_line_quantity_positive", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line.title}"  # noqa: RUF001  (the multiplication sign is meant)

    @property
    def told(self) -> Line:
        """These pieces as events tell them."""
        line = self.order_line
        return Line(sku=line.sku, title=line.title, quantity=self.quantity, unit_price=line.unit_price)


class TimelineEntry(models.Model):
    """One step of an order's story. Its `sequence` has no gaps, and is that of the event about it.

    `event_type` is the name of that event, `cause_type` and `cause_at` those of the event that led to the step: empty
    where nothing but a person or the clock did.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="timeline", db_index=False)
    sequence = models.PositiveIntegerField()
    type = models.CharField(max_length=40)
    text = models.CharField(max_length=300)
    at = models.DateTimeField()
    event_type = models.CharField(max_length=200, default="", db_default="")
    cause_type = models.CharField(max_length=200, default="", db_default="")
    cause_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        ordering: ClassVar = ["sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "sequence"], name="timeline_sequence_once"),
            models.CheckConstraint(
                name="timeline_cause_says_when", condition=Q(cause_type="") ^ Q(cause_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence}. {self.type}"


class RefusedTransition(models.Model):
    """An event that came when the order could no longer follow it: refused, and kept for staff to see."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="refused_transitions")
    event_id = models.UUIDField()
    event_type = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=Order.Status)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "event_id"], name="a_transition_is_refused_once"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} while {self.status}"
