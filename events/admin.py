"""The outbox as staff see it: what waits for Kafka, and what Kafka will never take."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from events.admin_pages import RecordAdmin, shown_age, shown_bytes, shown_state, shown_text
from events.models import OutboxEvent


class StateFilter(admin.SimpleListFilter):
    """Rows on their way, or rows that hold their order up."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("pending", "Pending"), ("blocked", "Blocked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxEvent]) -> QuerySet[OutboxEvent]:  # noqa: ARG002
        if self.value() in ("pending", "blocked"):
            return queryset.filter(blocked_at__isnull=self.value() == "pending")
        return queryset


@admin.register(OutboxEvent)
class OutboxEventAdmin(RecordAdmin):
    list_display = ["type", "order_key", "topic", "state", "age", "created_at"]
    list_filter = [StateFilter, "topic", "type"]
    search_fields = ["event_id__exact", "aggregate_id__exact"]
    search_help_text = "Search by order id, event id or aggregate id."
    ordering = ["id"]
    fieldsets = [
        (None, {"fields": ["story", "state", "blocked", "type", "order_key", "created_at"]}),
        ("Record", {"fields": ["event_id", "topic", "shown_payload", "header_table"]}),
        ("Written by", {"fields": ["aggregate_type", "aggregate_id", "aggregate_version", "shard"]}),
    ]
    readonly_fields = ["story", "blocked", "order_key", "state", "header_table", "shown_payload"]

    @admin.display(description="What it waits for")
    def story(self, row: OutboxEvent) -> str:
        if row.blocked_at:
            return "Kafka will never take this record. Later events of the same order wait behind it."
        return "It waits for the relay, which sends it to Kafka and then deletes it here."

    @admin.display(description="State")
    def state(self, row: OutboxEvent) -> SafeString:
        if row.blocked_at:
            return shown_state(state="blocked", label="Blocked")
        return shown_state(state="pending", label="Pending")

    @admin.display(description="Waiting for")
    def age(self, row: OutboxEvent) -> str:
        return shown_age(since=row.created_at)

    @admin.display(description="Why it is blocked")
    def blocked(self, row: OutboxEvent) -> SafeString:
        return shown_text(text=row.blocked_reason if row.blocked_at else "It is not.")

    @admin.display(description="Payload")
    def shown_payload(self, row: OutboxEvent) -> SafeString:
        return shown_bytes(value=row.payload)
