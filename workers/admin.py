"""What staff see of the runtime: dead letters they can settle, and orders that wait."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from workers import dead_letters
from workers.admin_text import shown_bytes, shown_headers, shown_text
from workers.models import DeadLetter, DeadLetterAction, ParkedEvent, StoredRecord

_TIMES = ["first_failed_at", "last_failed_at", "settled_at"]


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that the runtime writes and nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class RecordAdmin(ReadOnlyAdmin):
    """A page that shows a stored record: where it stood, its key, headers and value."""

    @admin.display(description="Order")
    def order_key(self, record: StoredRecord) -> str:
        return bytes(record.key or b"").decode(errors="replace") or "(no key)"

    @admin.display(description="Place in Kafka")
    def place(self, record: StoredRecord) -> str:
        return f"{record.topic}, partition {record.partition}, offset {record.offset}"

    @admin.display(description="Payload")
    def payload(self, record: StoredRecord) -> SafeString:
        return shown_bytes(value=record.value)

    @admin.display(description="Headers")
    def header_table(self, record: StoredRecord) -> SafeString:
        return shown_headers(headers=record.decoded_headers)


class ActionInline(admin.TabularInline):
    model = DeadLetterAction
    verbose_name_plural = "What staff did"
    fields = ("at", "by", "action", "reason")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(DeadLetter)
class DeadLetterAdmin(RecordAdmin):
    list_display = [
        "event_type",
        "order_key",
        "consumer",
        "status",
        "reason",
        "exception_type",
        "short_message",
        "attempts",
        "last_failed_at",
    ]
    list_filter = ["status", "consumer", "reason", "event_type", "exception_type", "last_failed_at"]
    search_fields = ["event_id__exact", "exception_message", "fingerprint"]
    search_help_text = "Search by event id, order id, words of the error, or fingerprint."
    ordering = ["-last_failed_at"]
    actions = ["retry_selected"]
    inlines = [ActionInline]
    change_form_template = "admin/workers/deadletter/change_form.html"
    fieldsets = [
        (None, {"fields": ["story", "status", "reason", "consumer", "event_type", "order_key", "holds_key"]}),
        ("Error", {"fields": ["exception_type", "message", "trace", "fingerprint"]}),
        (
            "Tries",
            {"fields": ["attempts", "first_failed_at", "last_failed_at", "replay_count", "settled_at"]},
        ),
        ("Record", {"fields": ["event_id", "place", "recorded_at", "payload", "header_table"]}),
    ]
    readonly_fields = ["story", "order_key", "place", "payload", "header_table", "message", "trace"]

    @admin.display(description="What happened")
    def story(self, letter: DeadLetter) -> str:
        return _story(letter=letter)

    @admin.display(description="Error")
    def short_message(self, letter: DeadLetter) -> str:
        return letter.exception_message[:80]

    @admin.display(description="Message")
    def message(self, letter: DeadLetter) -> SafeString:
        return shown_text(text=letter.exception_message)

    @admin.display(description="Stack trace")
    def trace(self, letter: DeadLetter) -> SafeString:
        return shown_text(text=letter.stacktrace)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        return found | queryset.filter(key=search_term.strip().encode()), duplicates

    @admin.action(description="Retry the selected dead letters", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        for letter_id in queryset.values_list("id", flat=True):
            _tell(request=request, outcome=_retry(request=request, letter_id=letter_id))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("workers.retry_deadletter")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("workers.discard_deadletter")

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/retry/",
                self.admin_site.admin_view(self.retry_view),
                name="dead_letter_retry",
            ),
            path(
                "<path:object_id>/discard/",
                self.admin_site.admin_view(self.discard_view),
                name="dead_letter_discard",
            ),
        ]
        return own + super().get_urls()

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: put the dead letter back in line for its consumer."""
        if request.method != "POST" or not self.has_retry_permission(request):
            raise PermissionDenied
        _tell(request=request, outcome=_retry(request=request, letter_id=int(unquote(object_id))))
        return _back(object_id=object_id)

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST with a `reason`: settle the dead letter without handling it."""
        if request.method != "POST" or not self.has_discard_permission(request):
            raise PermissionDenied
        _tell(request=request, outcome=_discard(request=request, letter_id=int(unquote(object_id))))
        return _back(object_id=object_id)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        letter = self.get_object(request, unquote(object_id))
        is_open = letter is not None and letter.status == DeadLetter.Status.OPEN
        allowed = {
            "can_retry": is_open and self.has_retry_permission(request),
            "can_discard": is_open and self.has_discard_permission(request),
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **allowed})


@admin.register(ParkedEvent)
class ParkedEventAdmin(RecordAdmin):
    list_display = ["event_type", "order_key", "consumer", "state", "attempts", "error", "last_failed_at"]
    list_filter = ["consumer", "event_type"]
    list_select_related = ["parked_key"]
    search_fields = ["event_id__exact", "error"]
    ordering = ["parked_key_id", "id"]
    fields = [
        "consumer",
        "event_type",
        "order_key",
        "state",
        "attempts",
        "first_failed_at",
        "last_failed_at",
        "failure",
        "event_id",
        "place",
        "recorded_at",
        "payload",
        "header_table",
    ]
    readonly_fields = ["order_key", "state", "failure", "place", "payload", "header_table"]

    @admin.display(description="Waits for")
    def state(self, event: ParkedEvent) -> str:
        if event.parked_key.due_at is None:
            return "a dead letter of its order"
        return "its next try" if event.attempts else "the event before it"

    @admin.display(description="Error")
    def failure(self, event: ParkedEvent) -> SafeString:
        return shown_text(text=event.error)


def _story(*, letter: DeadLetter) -> str:
    tries = "1 try" if letter.attempts == 1 else f"{letter.attempts} tries"
    waiting = " Later events of this order wait behind it." if letter.holds_key else ""
    match letter.status:
        case DeadLetter.Status.OPEN:
            return f"The {letter.consumer} worker gave up on this event after {tries}.{waiting}"
        case DeadLetter.Status.RETRYING:
            return f"It is on its way through the {letter.consumer} worker again."
        case DeadLetter.Status.RESOLVED:
            return f"A retry succeeded: the {letter.consumer} worker has handled it."
        case _:
            return "Staff discarded it: it was settled without being handled."


def _retry(*, request: HttpRequest, letter_id: int) -> str:
    try:
        dead_letters.retry(letter_id=letter_id, by_id=_staff_id(request=request))
    except dead_letters.NotRetryable as refused:
        return str(refused)
    return ""


def _discard(*, request: HttpRequest, letter_id: int) -> str:
    try:
        reason = request.POST.get("reason", "")
        dead_letters.discard(letter_id=letter_id, by_id=_staff_id(request=request), reason=reason)
    except (dead_letters.NotRetryable, ValueError) as refused:
        return str(refused)
    return ""


def _staff_id(*, request: HttpRequest) -> int:
    if request.user.pk is None:
        raise PermissionDenied
    return int(request.user.pk)


def _tell(*, request: HttpRequest, outcome: str) -> None:
    if outcome:
        messages.error(request, outcome)
    else:
        messages.success(request, "Done. The order goes on in a moment.")


def _back(*, object_id: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:workers_deadletter_change", args=[object_id]))
