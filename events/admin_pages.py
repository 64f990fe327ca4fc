"""What the admin's pages share: rows nobody edits, payloads that stay inert, and deeds that ask for a reason."""

import json
from datetime import datetime
from typing import Any

import msgspec
from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timesince import timesince

from events.envelope import Headers
from events.values import Address

RECORD_PAGE = "admin/record.html"
REASON_LENGTH = 300


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something staff may do with the row on the page: a form that posts a reason to `url`."""

    name: str
    consequence: str
    url: str
    needs_reason: bool = True


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Where else in the admin the row on the page is told of."""

    name: str
    url: str


class ReasonForm(forms.Form):
    """Why staff do what they do; it is kept with what they did."""

    reason = forms.CharField(
        max_length=REASON_LENGTH,
        error_messages={
            "required": "Nothing was done: say why, the reason is kept.",
            "max_length": f"Nothing was done: give the reason in at most {REASON_LENGTH} characters.",
        },
    )


class NoteForm(ReasonForm):
    """The same where a reason is welcome but not asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes parameters for mypy alone
    """Rows that the shop writes and nobody edits; beside them stand `deeds` and `links`."""

    change_form_template = RECORD_PAGE
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def deeds(self, request: HttpRequest, row: Any) -> list[Deed]:  # noqa: ARG002
        """Return what this member of staff may do with the row now."""
        return []

    def links(self, request: HttpRequest, row: Any) -> list[Link]:  # noqa: ARG002
        """Return where this member of staff may read on."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        row = context["original"]
        context["title"] = capfirst(self.opts.verbose_name)
        beside = {"deeds": self.deeds(request, row), "links": self.links(request, row)}
        return super().render_change_form(request, {**context, **beside}, *args, **kwargs)


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows of a row that nobody edits; who may see the one may see the others."""

    extra = 0
    can_delete = False
    classes = ("ledger",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class RecordAdmin(ReadOnlyAdmin):
    """Records on their way into Kafka or out of it, which staff look for by the order in their key."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        return found | queryset.filter(key=search_term.strip().encode()), duplicates

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        """Lead to the order that the record's key names."""
        if not row.key:
            return []
        return list_link(
            user=request.user, model="orders.order", name="The order", q=self.order_key(record=row)
        )

    @admin.display(description="Order")
    def order_key(self, record: Any) -> str:
        return bytes(record.key or b"").decode(errors="replace") or "(no key)"

    @admin.display(description="Headers")
    def header_table(self, record: Any) -> SafeString:
        return shown_headers(headers=record.decoded_headers)


def first_error(*, form: forms.Form) -> str:
    """Return what is wrong with a form, in one sentence, or an empty text."""
    return next((str(error) for errors in form.errors.values() for error in errors), "")


def list_link(*, user: Any, model: str, name: str, **query: str) -> list[Link]:
    """Return the link to a list of the admin, narrowed by `query`; none for staff who may not see it.

    `model` is written as in `payments.payment`.
    """
    app, _, model_name = model.partition(".")
    if not user.has_perm(f"{app}.view_{model_name}"):
        return []
    return [Link(name=name, url=reverse(f"admin:{app}_{model_name}_changelist") + "?" + urlencode(query))]


def shown_state(*, state: str, label: str) -> SafeString:
    """Return a state as a badge whose colour goes by its name."""
    return format_html('<span class="state" data-state="{}">{}</span>', state, label)


def shown_bytes(*, value: bytes | memoryview | None) -> SafeString:
    """Return a payload as preformatted text: JSON indented, other text as it is, the rest as hex."""
    return format_html('<pre class="payload">{}</pre>', _readable(value=value))


def editable_text(*, value: bytes | memoryview | None) -> str:
    """Return a payload as staff may edit it: JSON indented, other text as it is, nothing of what is no text."""
    try:
        bytes(value or b"").decode()
    except UnicodeDecodeError:
        return ""
    return _readable(value=value) if value else ""


def shown_text(*, text: str) -> SafeString:
    """Return text that may hold anything, preformatted."""
    return format_html('<pre class="payload">{}</pre>', text or "(empty)")


def shown_headers(*, headers: Headers) -> SafeString:
    """Return headers as a table of two columns."""
    rows = format_html_join(
        "",
        "<tr><th scope='row'>{}</th><td>{}</td></tr>",
        ((name, _readable(value=raw)) for name, raw in headers),
    )
    return format_html('<table class="headers"><tbody>{}</tbody></table>', rows)


def shown_address(*, address: Address) -> SafeString:
    """Return an address as it stands on a parcel."""
    town = f"{address.postal_code} {address.city}"
    lines = [address.name, address.line1, address.line2, town, address.country]
    return shown_lines(lines=[line for line in lines if line])


def shown_age(*, since: datetime) -> str:
    """Return how long ago a moment was, to the second within a minute."""
    seconds = (timezone.now() - since).total_seconds()
    return f"{seconds:.0f} s" if seconds < 60 else timesince(since, depth=1)


def shown_lines(*, lines: list[str]) -> SafeString:
    """Return texts one below the other."""
    return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines))


def _readable(*, value: bytes | memoryview | None) -> str:
    if value is None:
        return "(no value)"
    raw = bytes(value)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.hex(" ", 2)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text or "(empty)"
