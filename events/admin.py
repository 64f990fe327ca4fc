"""The outbox as staff see it: what waits for Kafka, and what Kafka will never take."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from events.admin_pages import (
    Deed,
    ReasonForm,
    RecordAdmin,
    first_error,
    shown_age,
    shown_bytes,
    shown_state,
    shown_text,
)
from events.models import OutboxEvent
from events.outbox import unblock


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

    def get_urls(self) -> list[URLPattern]:
        """Add the one deed."""
        unblock = self.admin_site.admin_view(self.unblock_view)
        return [path("<path:object_id>/unblock/", unblock, name="outbox_unblock"), *super().get_urls()]

    def deeds(self, request: HttpRequest, row: OutboxEvent) -> list[Deed]:
        """Offer to try a blocked row again."""
        if not row.blocked_at or not request.user.has_perm("events.change_outboxevent"):
            return []
        consequence = "The relay sends it again, and what waits behind it, once what blocked it is mended."
        url = reverse("admin:outbox_unblock", args=[row.pk])
        return [Deed(name="Unblock", consequence=consequence, url=url)]

    def unblock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST with a `reason`: let the relay try a blocked row again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row: OutboxEvent | None = self.get_object(request, unquote(object_id))
        if not request.user.has_perm("events.change_outboxevent"):
            raise PermissionDenied
        if row is None:
            raise Http404("It has left the outbox.")
        form = ReasonForm(request.POST)
        if error := first_error(form=form):
            messages.error(request, error)
        else:
            self._unblock(request, row=row, reason=form.cleaned_data["reason"])
        return HttpResponseRedirect(reverse("admin:events_outboxevent_changelist"))

    @transaction.atomic
    def _unblock(self, request: HttpRequest, *, row: OutboxEvent, reason: str) -> None:
        if not unblock(row_id=row.id):
            messages.error(request, "It is not blocked.")
            return
        self.log_change(request, row, f"Unblocked. {reason}")
        messages.success(request, "It is on its way again.")

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
