"""The outbox as staff see it: what waits for Kafka, and what Kafka will never take."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from events.models import OutboxEvent


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("pending", "Pending"), ("blocked", "Blocked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxEvent]) -> QuerySet[OutboxEvent]:  # noqa: ARG002
        if self.value() in ("pending", "blocked"):
            return queryset.filter(blocked_at__isnull=self.value() == "pending")
        return queryset


@admin.register(OutboxEvent)
class OutboxEventAdmin(admin.ModelAdmin):
    list_display = ["id", "type", "order_key", "topic", "state", "age", "created_at"]
    list_filter = [StateFilter, "topic", "type"]
    search_fields = ["event_id__exact", "aggregate_id__exact"]
    search_help_text = "Search by event id or aggregate id."
    ordering = ["id"]
    fields = [
        *("event_id", "type", "topic", "order_key", "shard", "state", "blocked_reason", "created_at"),
        *("aggregate_type", "aggregate_id", "aggregate_version", "header_lines", "payload_text"),
    ]
    readonly_fields = ["order_key", "state", "header_lines", "payload_text"]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="Order")
    def order_key(self, row: OutboxEvent) -> str:
        return bytes(row.key or b"").decode(errors="replace") or "(no key)"

    @admin.display(description="State")
    def state(self, row: OutboxEvent) -> str:
        return "Blocked" if row.blocked_at else "Pending"

    @admin.display(description="Waits for")
    def age(self, row: OutboxEvent) -> str:
        return f"{(timezone.now() - row.created_at).total_seconds():.0f} s"

    @admin.display(description="Headers")
    def header_lines(self, row: OutboxEvent) -> str:
        return "\n".join(f"{name}: {value.decode(errors='replace')}" for name, value in row.decoded_headers)

    @admin.display(description="Payload")
    def payload_text(self, row: OutboxEvent) -> str:
        return bytes(row.payload or b"").decode(errors="replace")
