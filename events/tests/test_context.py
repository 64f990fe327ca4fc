"""A trace goes from a request into its events and its calls; see https://www.w3.org/TR/trace-context/."""

from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from uuid_utils.compat import uuid7

from events import publish
from events.context import child_of, current_context, receive_context, trace_headers
from events.middleware import TraceRequests
from events.models import OutboxEvent
from events.orders import OrderAdvanced

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def _request(**headers: str) -> HttpRequest:
    return RequestFactory().get("/", headers=headers)


def _publishing(_request: HttpRequest) -> HttpResponse:
    fact = OrderAdvanced(order_id=uuid7(), number="WB-TEST-0001", step="packed", status="confirmed")
    with transaction.atomic():
        publish(fact, aggregate_type="order", aggregate_id=fact.order_id, version=1)
    return HttpResponse()


def _published() -> dict[str, Any]:
    return {name: (value or b"").decode() for name, value in OutboxEvent.objects.get().decoded_headers}


@pytest.mark.django_db
def test_an_event_belongs_to_the_trace_of_its_request_as_a_span_of_its_own() -> None:
    TraceRequests(_publishing)(_request(traceparent=PARENT, tracestate="vendor=something"))

    headers = _published()
    assert headers["traceparent"].split("-")[1] == TRACE
    assert headers["traceparent"] != PARENT
    assert headers["tracestate"] == "vendor=something"


@pytest.mark.django_db
def test_a_request_without_a_trace_begins_one() -> None:
    TraceRequests(_publishing)(_request())

    headers = _published()
    assert (
        receive_context(traceparent=headers["traceparent"], tracestate="").trace_id in headers["traceparent"]
    )
    assert "tracestate" not in headers


def test_after_the_request_its_trace_is_over() -> None:
    seen = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(current_context())
        return HttpResponse()

    TraceRequests(view)(_request(traceparent=PARENT))

    assert [context.trace_id for context in seen if context] == [TRACE]
    assert current_context() is None
    assert trace_headers() == {}


def test_a_call_made_for_a_request_carries_its_trace_on() -> None:
    told = []

    def view(_request: HttpRequest) -> HttpResponse:
        told.append(trace_headers())
        return HttpResponse()

    TraceRequests(view)(_request(traceparent=PARENT, tracestate="a=1"))

    [headers] = told
    assert headers["traceparent"].split("-")[1] == TRACE
    assert headers["tracestate"] == "a=1"


@pytest.mark.parametrize(
    "invalid",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        PARENT.upper(),
        f"{PARENT}-more",
        f"{PARENT}\n",
        PARENT[:-1],
    ],
)
def test_an_invalid_trace_is_ignored_together_with_its_state(invalid: str) -> None:
    context = receive_context(traceparent=invalid, tracestate="vendor=something")

    assert TRACE not in context.traceparent
    assert len(context.trace_id) == 32
    assert context.tracestate == ""


def test_a_later_version_of_the_header_is_understood_as_far_as_we_know_it() -> None:
    context = receive_context(traceparent=f"cc-{TRACE}-b7ad6b7169203331-03-what.comes.later", tracestate="")

    assert context.traceparent.startswith(f"00-{TRACE}-")
    assert context.traceparent.endswith("-01")


def test_who_does_not_sample_is_not_sampled_further_on() -> None:
    assert child_of(f"00-{TRACE}-b7ad6b7169203331-00").endswith("-00")


@pytest.mark.parametrize("state", ["x=" + "y" * 511, "a=1\nb=2", "a=ä"])
def test_a_state_that_is_too_long_or_could_break_a_header_is_dropped(state: str) -> None:
    assert receive_context(traceparent=PARENT, tracestate=state).tracestate == ""
