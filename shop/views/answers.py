"""How a page answers: in full, or to htmx with the part that it asked for."""

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import ngettext
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request that has come through `HtmxMiddleware`."""

    htmx: HtmxDetails


def render_page(
    request: HtmxRequest, page: str, context: dict[str, Any], *, part: str = "", status: int = 200
) -> HttpResponse:
    """Render the template `page`, or `part` of it when htmx wants a part only."""
    wants_part = part and request.htmx and not request.htmx.history_restore_request
    response = render(request, part if wants_part else page, context, status=status)
    if part:
        patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    if wants_part:
        response["Cache-Control"] = "no-store"
    return response


def see_other(name: str, **arguments: Any) -> HttpResponse:
    """Answer a form with 303: the browser shows the page of that URL name next."""
    return HttpResponseRedirect(reverse(name, kwargs=arguments), status=303)


def ask_to_wait(form: BaseForm, *, seconds: float, field: str | None = None) -> int:
    """Add to the form, or to one of its fields, that this was too often; return the whole seconds to wait."""
    wait = max(1, round(seconds))
    words = ngettext(
        "That was often. Wait %(wait)s second, then try again.",
        "That was often. Wait %(wait)s seconds, then try again.",
        wait,
    )
    form.add_error(field, words % {"wait": wait})
    return wait
