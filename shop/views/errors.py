"""The page that is shown when a page breaks."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

RETRY_SECONDS = 30


def server_error(_request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database cannot be used, which passes, and 500 for whatever else broke."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return HttpResponse(
            render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_SECONDS)}
        )
    return HttpResponse(render_to_string("500.html"), status=500)
