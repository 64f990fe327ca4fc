"""Every refusal of the API as `application/problem+json` (RFC 9457)."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, Throttled

from orders.selectors import OrderNotFound

API_ROOT = "/api/"
MEDIA_TYPE = "application/problem+json"
_FAILED = "Something went wrong here, and we have been told. Try again in a moment."

logger = logging.getLogger("django.request")

Faults = dict[str, list[str]]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not served (RFC 9457). `errors` tells what is wrong by field, for example `lines[0].sku`."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: Faults | msgspec.UnsetType = msgspec.UNSET


class Refusal(Exception):
    """A request that cannot be served; `status` is HTTP's, the message tells the caller what to do."""

    def __init__(
        self, status: int, detail: str, *, errors: Faults | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.errors, self.retry_after = status, errors or {}, retry_after


def refuse_fields(errors: Faults) -> Refusal:
    """Return the refusal of a request whose fields have these faults."""
    return Refusal(422, "Correct what `errors` names, and send the request again.", errors=errors)


def problem_response(refusal: Refusal) -> HttpResponse:
    """Return the answer that tells of `refusal`."""
    response = HttpResponse(_encode(refusal), status=refusal.status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def handle_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Answer whatever a call raised: REST framework's `EXCEPTION_HANDLER`. What nobody foresaw is logged."""
    match error:
        case Refusal():
            return problem_response(error)
        case OrderNotFound() | Http404():
            return problem_response(Refusal(404, "There is nothing at this address."))
        case PermissionDenied():
            return problem_response(Refusal(403, "This is not for you."))
        case Throttled():
            return problem_response(_too_many(error))
        case APIException():
            return problem_response(Refusal(error.status_code, str(error.detail)))
    logger.error("%s failed", context["request"].path, exc_info=error)
    return problem_response(Refusal(500, _FAILED))


@csrf_exempt
def answer_unknown_path(request: HttpRequest) -> HttpResponse:
    """Answer 404 for whatever is no call, whatever the method: a redirect to the slash would lose a POST's body."""
    slash = "" if request.path.endswith("/") else " Every address of the API ends in a slash."
    return problem_response(Refusal(404, f"There is nothing at this address.{slash} See /api/v1/docs/."))


class ApiProblems:
    """Middleware: an error that Django itself answers under the API's root becomes a problem document too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST and request.path.startswith(API_ROOT):
            _become_problem(response)
        return response


def _become_problem(response: HttpResponse) -> None:
    if response["Content-Type"] == MEDIA_TYPE:
        return
    status = HTTPStatus(response.status_code)
    response.content = _encode(Refusal(status, status.description or status.phrase))
    response["Content-Type"] = MEDIA_TYPE
    response["Content-Length"] = str(len(response.content))


def _too_many(error: Throttled) -> Refusal:
    # REST framework sets `wait` to whole seconds, or None where a throttle does not know.
    seconds: int = getattr(error, "wait", None) or 1
    return Refusal(429, f"That was too often. Try again in {seconds} s.", retry_after=seconds)


def _encode(refusal: Refusal) -> bytes:
    problem = Problem(
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        detail=str(refusal),
        errors=refusal.errors or msgspec.UNSET,
    )
    return msgspec.json.encode(problem)
