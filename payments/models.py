"""The money of orders: what was asked for, each attempt to get it, and what went back."""

from django.db import models
from django.db.models import F, Q


class PaymentStatus(models.TextChoices):
    """Where a payment stands, as its latest attempt left it."""

    PENDING = "pending", "pending"
    UNKNOWN = "unknown", "outcome unknown"
    ACTION_REQUIRED = "action_required", "waits for the buyer"
    CAPTURED = "captured", "captured"
    DECLINED = "declined", "declined"
    ABANDONED = "abandoned", "abandoned"
    REFUNDED = "refunded", "refunded"


class AttemptStatus(models.TextChoices):
    """What became of an attempt to charge."""

    PENDING = "pending", "pending"
    UNKNOWN = "unknown", "outcome unknown"
    ACTION_REQUIRED = "action_required", "waits for the buyer"
    CAPTURED = "captured", "captured"
    DECLINED = "declined", "declined"
    ABANDONED = "abandoned", "abandoned"


class RefundStatus(models.TextChoices):
    """Whether the provider has given the money back."""

    PENDING = "pending", "pending"
    SUCCEEDED = "succeeded", "succeeded"


OPEN = [AttemptStatus.PENDING, AttemptStatus.UNKNOWN, AttemptStatus.ACTION_REQUIRED]


class PaymentMethod(models.Model):
    """A provider's token made in this shop; all that is kept of the card."""

    token = models.CharField(max_length=200, primary_key=True)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.brand} {self.last4}"


class Payment(models.Model):
    """The payment of one order; its row is locked before anything about it changes or is published."""

    order_id = models.UUIDField(primary_key=True)
    order_number = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, choices=PaymentStatus, default=PaymentStatus.PENDING)
    captured_amount = models.BigIntegerField(default=0)
    promised_amount = models.BigIntegerField(
        default=0,
        help_text="What is to go back, from the moment a refund is begun; more than that never does.",
    )
    refunded_amount = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=0)
    cancelled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at"], name="payment_newest"),
            models.Index(fields=["order_number"], name="payment_order_number"),
        ]
        constraints = [
            models.CheckConstraint(
                name="payment_money_is_conserved",
                condition=Q(refunded_amount__gte=0)
                & Q(promised_amount__gte=F("refunded_amount"))
                & Q(captured_amount__gte=F("promised_amount"))
                & Q(amount__gte=F("captured_amount")),
            ),
            models.CheckConstraint(
                name="payment_status_is_known",
                condition=Q(status__in=PaymentStatus.values),
            ),
        ]

    def __str__(self) -> str:
        return f"Payment of {self.order_number}"


class PaymentAttempt(models.Model):
    """One try to charge one payment method.

    Its id is that of the event that asked for it and is the idempotency key at the provider; so however often
    the event arrives, there is one attempt and at most one charge.
    """

    id = models.UUIDField(primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="attempts")
    payment_method = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=AttemptStatus, default=AttemptStatus.PENDING)
    decline_code = models.CharField(max_length=50, blank=True)
    brand = models.CharField(max_length=20, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    action_url = models.CharField(max_length=500, blank=True)
    bank_charge_id = models.CharField(max_length=100, blank=True)
    checks = models.IntegerField(default=0)
    next_check_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(
                fields=["next_check_at"], name="attempt_due", condition=Q(next_check_at__isnull=False)
            ),
            models.Index(fields=["created_at"], name="attempt_pending", condition=Q(status="pending")),
        ]
        constraints = [
            models.UniqueConstraint(
                name="attempt_one_open_or_captured_per_payment",
                fields=["payment"],
                condition=Q(status__in=[*OPEN, AttemptStatus.CAPTURED]),
            ),
            models.CheckConstraint(
                name="attempt_status_is_known",
                condition=Q(status__in=AttemptStatus.values),
            ),
            models.CheckConstraint(
                name="attempt_declined_has_a_code",
                condition=Q(status=AttemptStatus.DECLINED, decline_code__gt="")
                | (~Q(status=AttemptStatus.DECLINED) & Q(decline_code="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} ({self.brand or self.payment_method} {self.last4})"


class Refund(models.Model):
    """Money of a captured attempt, given back: for what was returned, or all that is left of it.

    Its id is the idempotency key at the provider.
    """

    id = models.UUIDField(primary_key=True)
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="refunds")
    return_id = models.UUIDField(null=True, help_text="The return it is for; empty for all that is left.")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    status = models.CharField(max_length=20, choices=RefundStatus, default=RefundStatus.PENDING)
    bank_refund_id = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(fields=["created_at"], name="refund_pending", condition=Q(status="pending")),
        ]
        constraints = [
            models.UniqueConstraint(name="refund_once_for_a_return", fields=["return_id"]),
            models.UniqueConstraint(
                name="refund_of_the_rest_once", fields=["attempt"], condition=Q(return_id__isnull=True)
            ),
            models.CheckConstraint(name="refund_amount_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="refund_status_is_known", condition=Q(status__in=RefundStatus.values)
            ),
        ]

    def __str__(self) -> str:
        return f"Refund of {self.amount} ({self.get_status_display()})"
