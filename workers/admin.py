"""What staff see of the runtime: dead letters they can settle, and orders that wait."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from events.admin_pages import (
    Deed,
    Link,
    NoteForm,
    ReadOnlyInline,
    ReasonForm,
    RecordAdmin,
    editable_text,
    first_error,
    list_link,
    shown_bytes,
    shown_state,
    shown_text,
)
from workers import dead_letters, replay_pages
from workers.models import DeadLetter, DeadLetterAction, ParkedEvent, StoredRecord
from workers.replay_pages import staff_id

MOST_RETRIED_AT_ONCE = 1_000


class EditForm(ReasonForm):
    """The payload that an event should have had, and why."""

    payload = forms.CharField(
        strip=False, error_messages={"required": "Nothing was done: the payload is empty."}
    )


class StoredRecordAdmin(RecordAdmin):
    """A page that shows a stored record: where it stood, its key, headers and value."""

    @admin.display(description="Place in Kafka")
    def place(self, record: StoredRecord) -> str:
        return f"{record.topic}, partition {record.partition}, offset {record.offset}"

    @admin.display(description="Payload")
    def payload(self, record: StoredRecord) -> SafeString:
        return shown_bytes(value=record.value)


class ActionInline(ReadOnlyInline):
    """The audit of a dead letter."""

    model = DeadLetterAction
    verbose_name_plural = "What staff did"
    fields = ("at", "by", "action", "reason")
    readonly_fields = fields


@admin.register(DeadLetter)
class DeadLetterAdmin(StoredRecordAdmin):
    list_display = [
        "event_type",
        "consumer",
        "state",
        "short_message",
        "order_key",
        "attempts",
        "last_failed_at",
    ]
    list_filter = ["status", "consumer", "reason", "event_type", "exception_type", "last_failed_at"]
    search_fields = ["event_id__exact", "exception_message", "fingerprint"]
    search_help_text = "Search by order id, event id, words of the error, or fingerprint."
    ordering = ["-last_failed_at"]
    actions = ["retry_selected"]
    change_list_template = "admin/workers/deadletter/change_list.html"
    fieldsets = [
        (None, {"fields": ["story", "state", "reason", "consumer", "event_type", "order_key"]}),
        ("Error", {"fields": ["exception_type", "message", "fingerprint"]}),
        (
            "Tries",
            {"fields": ["attempts", "first_failed_at", "last_failed_at", "replay_count", "settled_at"]},
        ),
        ("Record", {"fields": ["event_id", "place", "recorded_at", "payload", "header_table"]}),
        ("Stack trace", {"fields": ["trace"], "classes": ["collapse"]}),
    ]
    readonly_fields = ["story", "state", "order_key", "place", "payload", "header_table", "message", "trace"]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list[Any]:  # noqa: ARG002
        return [ActionInline] if obj and obj.actions.exists() else []

    @admin.display(description="What happened")
    def story(self, letter: DeadLetter) -> str:
        return _story(letter=letter)

    @admin.display(description="Status", ordering="status")
    def state(self, letter: DeadLetter) -> SafeString:
        return shown_state(state=letter.status, label=letter.get_status_display())

    @admin.display(description="Error")
    def short_message(self, letter: DeadLetter) -> str:
        return f"{letter.exception_type}: {letter.exception_message[:80]}"

    @admin.display(description="Message")
    def message(self, letter: DeadLetter) -> SafeString:
        return shown_text(text=letter.exception_message)

    @admin.display(description="Trace")
    def trace(self, letter: DeadLetter) -> SafeString:
        return shown_text(text=letter.stacktrace)

    def deeds(self, request: HttpRequest, row: DeadLetter) -> list[Deed]:
        """Offer retry and discard while the dead letter is open, and restore once it is discarded."""
        if row.status == DeadLetter.Status.DISCARDED and self.has_discard_permission(request):
            return [_restore_deed(letter=row)]
        if row.status != DeadLetter.Status.OPEN:
            return []
        deeds = []
        if self.has_retry_permission(request):
            deeds.append(_retry_deed(letter=row))
        if self.has_discard_permission(request):
            deeds.append(_discard_deed(letter=row))
        return deeds

    def links(self, request: HttpRequest, row: DeadLetter) -> list[Link]:
        """Lead to the order, to what waits behind it, and to the failures of the same cause."""
        return [
            *self._edits(request, row),
            *super().links(request, row),
            *list_link(
                user=request.user,
                model="workers.parkedevent",
                name="Events that wait behind it",
                q=self.order_key(record=row),
                consumer=row.consumer,
            ),
            *list_link(
                user=request.user,
                model="workers.deadletter",
                name="Dead letters of the same cause",
                q=row.fingerprint,
            ),
        ]

    def _edits(self, request: HttpRequest, row: DeadLetter) -> list[Link]:
        links = []
        if row.status == DeadLetter.Status.OPEN and self.has_edit_permission(request):
            url = reverse("admin:dead_letter_edit", args=[row.pk])
            links.append(Link(name="Retry with another payload…", url=url))
        if row.edit_of_id:
            links.append(Link(name="The original", url=_page_of(letter_id=row.edit_of_id)))
        if after := DeadLetter.objects.filter(edit_of=row).values_list("id", flat=True).first():
            links.append(Link(name="What it was edited to", url=_page_of(letter_id=after)))
        return links

    @admin.action(description="Retry the selected dead letters", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        """Show what would be retried; once staff have said so, retry it, oldest first."""
        selection = replay_pages.chosen(letters=queryset, most=MOST_RETRIED_AT_ONCE)
        if not selection.ids:
            messages.error(
                request, "None of the selected dead letters is open, so there is nothing to retry."
            )
            return None
        if "confirmed" in request.POST and (
            begun := replay_pages.begin(request=request, selection=selection)
        ):
            return begun
        is_open = queryset.filter(status=DeadLetter.Status.OPEN).count()
        return replay_pages.ask(
            request=request,
            selection=selection,
            settled=queryset.count() - is_open,
            later=is_open - len(selection.ids),
            action=["retry_selected"],
            confirmed=["yes"],
            # Those that were shown, and not what matches by the time of the answer.
            **{ACTION_CHECKBOX_NAME: selection.ids},
        )

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("workers.retry_deadletter")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("workers.discard_deadletter")

    def has_edit_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("workers.edit_deadletter")

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("groups/", "dead_letter_groups", replay_pages.groups_view),
            ("groups/retry/", "dead_letter_retry_group", replay_pages.retry_group_view),
            ("<path:object_id>/retry/", "dead_letter_retry", self.retry_view),
            ("<path:object_id>/edit/", "dead_letter_edit", self.edit_view),
            ("<path:object_id>/discard/", "dead_letter_discard", self.discard_view),
            ("<path:object_id>/restore/", "dead_letter_restore", self.restore_view),
        ]
        own = [path(route, self.admin_site.admin_view(view), name=name) for route, name, view in views]
        return own + super().get_urls()

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST, with a `reason` if there is one: put the dead letter back in line for its consumer."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_retry_permission(request):
            raise PermissionDenied
        form, letter = NoteForm(request.POST), self._letter(request, object_id)
        outcome = first_error(form=form) or _retry(
            request=request, letter_id=letter.id, reason=form.cleaned_data["reason"]
        )
        return _back(
            request=request,
            letter=letter,
            outcome=outcome,
            done="It is in line again. What waited behind it goes on in a moment.",
        )

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST with a `reason`: settle the dead letter without handling it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_discard_permission(request):
            raise PermissionDenied
        form, letter = ReasonForm(request.POST), self._letter(request, object_id)
        outcome = first_error(form=form) or _discard(
            request=request, letter_id=letter.id, reason=form.cleaned_data["reason"]
        )
        return _back(
            request=request,
            letter=letter,
            outcome=outcome,
            done="It is discarded. What waited behind it goes on in a moment.",
        )

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST, with a `reason` if there is one: open a discarded dead letter again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_discard_permission(request):
            raise PermissionDenied
        form, letter = NoteForm(request.POST), self._letter(request, object_id)
        outcome = first_error(form=form) or _restore(
            request=request, letter_id=letter.id, reason=form.cleaned_data["reason"]
        )
        return _back(request=request, letter=letter, outcome=outcome, done="It is open again.")

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the payload in a form; on POST, retry the event with the `payload` given, and a `reason`."""
        if not self.has_edit_permission(request):
            raise PermissionDenied
        letter = self._letter(request, object_id)
        form = EditForm(request.POST if request.method == "POST" else None)
        outcome: str | int = first_error(form=form)
        if form.is_valid():
            outcome = _edit(request=request, letter_id=letter.id, **form.cleaned_data)
        if isinstance(outcome, int):
            messages.success(request, "It is in line again, with the new payload.")
            return HttpResponseRedirect(_page_of(letter_id=outcome))
        context = {
            **self.admin_site.each_context(request),
            "title": "Retry with another payload",
            "opts": self.opts,
            "letter": letter,
            "error": outcome,
            "payload": form.data.get("payload", editable_text(value=letter.value)),
            "reason": form.data.get("reason", ""),
        }
        return TemplateResponse(request, "admin/workers/deadletter/edit.html", context)

    def _letter(self, request: HttpRequest, object_id: str) -> DeadLetter:
        letter: DeadLetter | None = self.get_object(request, unquote(object_id))
        if letter is None:
            raise Http404("There is no such dead letter.")
        if not self.has_view_permission(request, letter):
            raise PermissionDenied
        return letter


@admin.register(ParkedEvent)
class ParkedEventAdmin(StoredRecordAdmin):
    list_display = ["event_type", "consumer", "waits_for", "error", "order_key", "attempts", "next_try_at"]
    list_filter = ["consumer", "event_type", "last_failed_at"]
    list_select_related = ["parked_key"]
    search_fields = ["event_id__exact", "error"]
    search_help_text = "Search by order id, event id, or words of the error."
    ordering = ["parked_key_id", "id"]
    fieldsets = [
        (None, {"fields": ["story", "consumer", "event_type", "order_key", "next_try_at"]}),
        ("Tries", {"fields": ["attempts", "first_failed_at", "last_failed_at", "failure"]}),
        ("Record", {"fields": ["event_id", "place", "recorded_at", "payload", "header_table"]}),
    ]
    readonly_fields = ["story", "order_key", "next_try_at", "failure", "place", "payload", "header_table"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ParkedEvent]:
        return super().get_queryset(request).select_related("parked_key")

    def links(self, request: HttpRequest, row: ParkedEvent) -> list[Link]:
        """Lead to the order, to its whole line, and to the dead letter that may hold it."""
        key = self.order_key(record=row)
        return [
            *super().links(request, row),
            *list_link(user=request.user, model="workers.parkedevent", name="The whole line", q=key),
            *list_link(
                user=request.user, model="workers.deadletter", name="Dead letters of the order", q=key
            ),
        ]

    @admin.display(description="Why it waits")
    def story(self, event: ParkedEvent) -> str:
        return (
            f"The {event.consumer} worker has not handled this event: it waits for {self.waits_for(event)}."
        )

    @admin.display(description="Waits for")
    def waits_for(self, event: ParkedEvent) -> str:
        if event.parked_key.due_at is None:
            return "staff to settle a dead letter of its order"
        if event.parked_key.leased_until:
            return "an answer from outside that is still to come"
        return "its next try" if event.attempts else "the events before it"

    @admin.display(description="Next try", ordering="parked_key__due_at")
    def next_try_at(self, event: ParkedEvent) -> str:
        due_at = event.parked_key.due_at if event.attempts else None
        return date_format(localtime(due_at), "DATETIME_FORMAT") if due_at else "-"

    @admin.display(description="Error")
    def failure(self, event: ParkedEvent) -> SafeString:
        return shown_text(text=event.error)


def _story(*, letter: DeadLetter) -> str:
    tries = "1 try" if letter.attempts == 1 else f"{letter.attempts} tries"
    goes_on = (
        "Later events of this order wait behind it."
        if letter.holds_key
        else "Later events of this order go on."
    )
    match letter.status:
        case DeadLetter.Status.OPEN:
            return f"The {letter.consumer} worker gave up on this event after {tries}. {goes_on}"
        case DeadLetter.Status.RETRYING:
            return f"It is on its way through the {letter.consumer} worker again."
        case DeadLetter.Status.RESOLVED:
            return f"A retry succeeded: the {letter.consumer} worker has handled it."
        case DeadLetter.Status.EDITED:
            return "Staff retried it with another payload, under an id of its own."
        case _:
            return "Staff discarded it: it was settled without being handled."


def _retry_deed(*, letter: DeadLetter) -> Deed:
    return Deed(
        name="Retry",
        consequence=f"The {letter.consumer} worker alone gets the event again, with the same id.",
        url=reverse("admin:dead_letter_retry", args=[letter.pk]),
        needs_reason=False,
    )


def _discard_deed(*, letter: DeadLetter) -> Deed:
    return Deed(
        name="Discard",
        consequence=f"The {letter.consumer} worker never handles the event, and the order goes on.",
        url=reverse("admin:dead_letter_discard", args=[letter.pk]),
    )


def _restore_deed(*, letter: DeadLetter) -> Deed:
    return Deed(
        name="Restore",
        consequence="It is open again, to be retried or discarded. It holds nothing back.",
        url=reverse("admin:dead_letter_restore", args=[letter.pk]),
        needs_reason=False,
    )


def _retry(*, request: HttpRequest, letter_id: int, reason: str) -> str:
    try:
        dead_letters.retry(letter_id=letter_id, by_id=staff_id(request=request), reason=reason)
    except dead_letters.NotRetryable as refused:
        return str(refused)
    return ""


def _discard(*, request: HttpRequest, letter_id: int, reason: str) -> str:
    try:
        dead_letters.discard(letter_id=letter_id, by_id=staff_id(request=request), reason=reason)
    except dead_letters.NotRetryable as refused:
        return str(refused)
    return ""


def _restore(*, request: HttpRequest, letter_id: int, reason: str) -> str:
    try:
        dead_letters.restore(letter_id=letter_id, by_id=staff_id(request=request), reason=reason)
    except dead_letters.NotRetryable as refused:
        return str(refused)
    return ""


def _edit(*, request: HttpRequest, letter_id: int, payload: str, reason: str) -> int | str:
    """Return the id of the dead letter that the edit became, or why there is none."""
    try:
        return dead_letters.edit(
            letter_id=letter_id, value=payload.encode(), by_id=staff_id(request=request), reason=reason
        )
    except (dead_letters.NotRetryable, dead_letters.BadEdit) as refused:
        return str(refused)


def _page_of(*, letter_id: int) -> str:
    return reverse("admin:workers_deadletter_change", args=[letter_id])


def _back(*, request: HttpRequest, letter: DeadLetter, outcome: str, done: str) -> HttpResponse:
    if outcome:
        messages.error(request, outcome)
    else:
        messages.success(request, done)
    return HttpResponseRedirect(_page_of(letter_id=letter.id))
