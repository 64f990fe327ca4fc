"""The ledger of mails as staff see it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from events.admin_pages import ReadOnlyAdmin, shown_text
from notifications.models import Email, Recipient


@admin.register(Email)
class EmailAdmin(ReadOnlyAdmin):
    """Mails, newest first, with what they said."""

    list_display = ("to", "kind", "subject", "status", "created_at", "sent_at")
    list_filter = ("status", "kind", "created_at")
    search_fields = ("to__iexact", "order_id__exact")
    search_help_text = "Search by e-mail address, order number or order id."
    ordering = ("-created_at",)
    fields = (
        *("to", "subject", "body"),
        *("kind", "status", "failure", "message_id", "order_id", "event_id", "created_at", "sent_at"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Email], search_term: str
    ) -> tuple[QuerySet[Email], bool]:
        """Find mails by the number of their order as well."""
        orders = Recipient.objects.filter(number=search_term.strip().upper()).values("order_id")
        if search_term and orders.exists():
            return queryset.filter(order_id__in=orders), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="Text")
    def body(self, email: Email) -> SafeString:
        """What the mail said, as inert text."""
        return shown_text(text=email.text)
