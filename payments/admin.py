"""Payments as staff sees them: everything can be read, nothing can be changed here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from payments.models import Payment, PaymentAttempt, Refund


class ReadOnly:
    """No adding, changing or deleting: money moves by events alone."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody may."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody may."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody may."""
        return False


ATTEMPT_FIELDS = (
    *("id", "status", "decline_code", "payment_method", "brand", "last4"),
    *("bank_charge_id", "next_check_at", "created_at"),
)
REFUND_FIELDS = ("id", "status", "amount", "bank_refund_id", "created_at")


class AttemptInline(ReadOnly, admin.TabularInline):
    """The attempts of a payment."""

    model = PaymentAttempt
    fields = readonly_fields = ATTEMPT_FIELDS


class RefundInline(ReadOnly, admin.TabularInline):
    """The refunds of a payment."""

    model = Refund
    fields = readonly_fields = REFUND_FIELDS


@admin.register(Payment)
class PaymentAdmin(ReadOnly, admin.ModelAdmin):
    """Payments, newest first."""

    list_display = ["order_number", "status", "money", "refunded", "cancelled_at", "created_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["=order_number", "=order_id"]
    ordering = ["-created_at"]
    inlines = [AttemptInline, RefundInline]
    show_full_result_count = False

    @admin.display(description="amount")
    def money(self, payment: Payment) -> str:
        """The amount in major units."""
        return _money(payment.amount, payment.currency)

    @admin.display(description="refunded")
    def refunded(self, payment: Payment) -> str:
        """What went back, in major units."""
        return _money(payment.refunded_amount, payment.currency)


def _money(amount: int, currency: str) -> str:
    return f"{amount // 100}.{amount % 100:02} {currency}"
