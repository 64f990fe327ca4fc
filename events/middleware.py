"""Requests as the beginning of traces."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from events.context import receive_context, within


class TraceRequests:
    """Take the trace of each request from its headers, or begin one; events that it publishes belong to it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        headers = request.headers
        context = receive_context(
            traceparent=headers.get("traceparent", ""), tracestate=headers.get("tracestate", "")
        )
        with within(context):
            return self._get_response(request)
