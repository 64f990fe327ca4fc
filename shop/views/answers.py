"""How a page answers: in full, or to htmx with the part that it asked for."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
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
