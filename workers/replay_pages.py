"""The back office's pages of retrying many dead letters: by cause, seen beforehand, and how each retry goes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from events.admin_pages import Deed, NoteForm, ReadOnlyAdmin, first_error, shown_state
from workers import replay_runs
from workers.dead_letter_lists import groups
from workers.models import DeadLetter, ReplayRun
from workers.replay_runs import NothingToRetry, Selection

_CONFIRM_PAGE = "admin/workers/deadletter/retry_many.html"
_GROUPS_PAGE = "admin/workers/deadletter/groups.html"
_MOST = 1_000_000


class RetryForm(NoteForm):
    """How many dead letters are retried: why, how fast, and when to leave the rest alone."""

    rate = forms.FloatField(required=False, min_value=0.01, max_value=_MOST)
    stop_after = forms.IntegerField(required=False, min_value=1, max_value=_MOST)


@admin.register(ReplayRun)
class ReplayRunAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__",
        "shown",
        "by",
        "reason",
        "total",
        "resolved",
        "failed",
        "skipped",
        "waiting",
        "started_at",
    ]
    list_select_related = ["by"]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["shown", "by", "reason", "selection"]}),
        ("Counts", {"fields": ["total", "waiting", "in_line", "resolved", "failed", "skipped"]}),
        ("Pace", {"fields": ["rate", "stop_after", "started_at", "ended_at", "stopped_by", "stop_reason"]}),
    ]
    readonly_fields = ["shown", "waiting", "in_line"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Who may see dead letters may see how their retries go."""
        return request.user.has_perm("workers.view_deadletter")

    @admin.display(description="State", ordering="state")
    def shown(self, run: ReplayRun) -> SafeString:
        return shown_state(state=run.state, label=run.get_state_display())

    @admin.display(description="In line")
    def in_line(self, run: ReplayRun) -> int:
        return run.in_line

    @admin.display(description="Waiting")
    def waiting(self, run: ReplayRun) -> int:
        return run.waiting

    def deeds(self, request: HttpRequest, row: ReplayRun) -> list[Deed]:
        """Offer to stop a run that goes on."""
        if row.state != ReplayRun.State.RUNNING or not _may_retry(request=request):
            return []
        return [
            Deed(
                name="Stop",
                consequence="No more of it is put in line. What is in line already is still tried.",
                url=reverse("admin:replay_run_stop", args=[row.pk]),
                needs_reason=False,
            )
        ]

    def get_urls(self) -> list[URLPattern]:
        stop = self.admin_site.admin_view(self.stop_view)
        return [path("<int:run_id>/stop/", stop, name="replay_run_stop"), *super().get_urls()]

    def stop_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """POST, with a `reason` if there is one: put no more of the run in line."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not _may_retry(request=request):
            raise PermissionDenied
        if not ReplayRun.objects.filter(id=run_id).exists():
            raise Http404("There is no such retry.")
        form = NoteForm(request.POST)
        if error := first_error(form=form):
            messages.error(request, error)
        elif replay_runs.stop(
            run_id=run_id, by_id=staff_id(request=request), reason=form.cleaned_data["reason"]
        ):
            messages.success(request, "No more of it is put in line.")
        else:
            messages.error(request, "It was over already.")
        return HttpResponseRedirect(_page_of(run_id=run_id))


def groups_view(request: HttpRequest) -> HttpResponse:
    """Show the open dead letters by what went wrong."""
    if not request.user.has_perm("workers.view_deadletter"):
        raise PermissionDenied
    context = {"title": "Dead letters by cause", "groups": groups(), "may_retry": _may_retry(request=request)}
    return _page(request=request, template=_GROUPS_PAGE, context=context)


def retry_group_view(request: HttpRequest) -> HttpResponse:
    """Say what a retry of all of a cause, given in the query, would do; on POST, begin it."""
    if not _may_retry(request=request) or not request.user.has_perm("workers.view_deadletter"):
        raise PermissionDenied
    selection = Selection(fingerprint=request.GET.get("fingerprint", "").replace("\x00", ""))
    if request.method == "POST" and (begun := begin(request=request, selection=selection)):
        return begun
    try:
        return ask(request=request, selection=selection)
    except ValueError as too_wide:
        raise Http404(str(too_wide)) from too_wide


def ask(
    *, request: HttpRequest, selection: Selection, settled: int = 0, later: int = 0, **hidden: Any
) -> TemplateResponse:
    """Show what would be retried, and ask how; `hidden` goes along with the answer.

    Of what staff have ticked, `settled` letters are left alone and `later` ones are too many for one run.
    """
    context = {
        "title": "Retry dead letters?",
        "preview": replay_runs.preview(selection=selection),
        "settled": settled,
        "later": later,
        "form": RetryForm(request.POST or None),
        "hidden": [(name, one) for name, many in hidden.items() for one in many],
    }
    return _page(request=request, template=_CONFIRM_PAGE, context=context)


def begin(*, request: HttpRequest, selection: Selection) -> HttpResponse | None:
    """Begin the retry that the posted form asks for and lead to it; tell what is wrong and return None if it cannot."""
    form = RetryForm(request.POST)
    if form.is_valid():
        try:
            run_id = replay_runs.start(
                selection=selection, by_id=staff_id(request=request), **form.cleaned_data
            )
        except (NothingToRetry, ValueError) as refused:
            messages.error(request, str(refused))
            return None
        messages.success(request, "The retry has begun. This page tells how it goes.")
        return HttpResponseRedirect(_page_of(run_id=run_id))
    for name, errors in form.errors.items():
        messages.error(request, f"{name.replace('_', ' ').capitalize()}: {errors[0]}")
    return None


def chosen(*, letters: QuerySet[DeadLetter], most: int) -> Selection:
    """Return the oldest open ones among letters that staff have ticked."""
    ids = letters.filter(status=DeadLetter.Status.OPEN).order_by("id").values_list("id", flat=True)
    return Selection(ids=tuple(ids[:most]))


def staff_id(*, request: HttpRequest) -> int:
    """Return who is signed in; raises `PermissionDenied` for nobody."""
    if request.user.pk is None:
        raise PermissionDenied
    return int(request.user.pk)


def _may_retry(*, request: HttpRequest) -> bool:
    return request.user.has_perm("workers.retry_deadletter")


def _page_of(*, run_id: int) -> str:
    return reverse("admin:workers_replayrun_change", args=[run_id])


def _page(*, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    shared = {**admin.site.each_context(request), "opts": DeadLetter._meta}
    return TemplateResponse(request, template, {**shared, **context})
