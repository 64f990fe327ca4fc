"""The API's description: OpenAPI 3.1, made of the same declarations that check and encode."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

import msgspec
from csp.decorators import csp_update
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.apis.problems import MEDIA_TYPE, Problem

_COMPONENT = "#/components/schemas/{name}"
_ANY_REFUSAL = {
    404: "There is nothing at this address.",
    406: "The answer comes as JSON, and the request does not accept that.",
    429: "Too many calls; `Retry-After` says how many seconds to wait.",
    500: "Something went wrong here.",
}
_BODY_REFUSAL = {
    400: "The body is not JSON.",
    413: "The body is too large.",
    415: "The body is not declared as `application/json`.",
    422: "Something in the request is not as it must be; `errors` says what, by field.",
}

F = TypeVar("F", bound=Callable[..., Any])


class StructSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes msgspec structs: their JSON Schema is of the dialect that OpenAPI 3.1 speaks."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:  # noqa: ARG002
        """Return the component's name."""
        name: str = self.target.__name__
        return name

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:  # noqa: ARG002
        """Return the struct's schema, and register those it refers to."""
        _, components = msgspec.json.schema_components([self.target], ref_template=_COMPONENT)
        own: dict[str, Any] = components.pop(self.target.__name__)
        for name, schema in components.items():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=name, type=ResolvedComponent.SCHEMA, object=name, schema=schema
            )
            auto_schema.registry.register_on_missing(component)
        return own


def describe(
    *,
    name: str,
    summary: str,
    gives: type[msgspec.Struct],
    status: int = 200,
    takes: type[msgspec.Struct] | None = None,
    example: dict[str, Any] | None = None,
    refuses: dict[int, str] | None = None,
    parameters: Iterable[OpenApiParameter] = (),
    tag: str,
) -> Callable[[F], F]:
    """Describe a call: its name in generated clients, what it takes and gives, why it may be refused by status.

    `example` is a body that the demo takes as it stands, for who tries the call out.
    """
    refusals = {**_ANY_REFUSAL, **(_BODY_REFUSAL if takes else {}), **(refuses or {})}
    responses: dict[Any, Any] = {(status, "application/json"): OpenApiResponse(gives, description="Done.")}
    for code, why in sorted(refusals.items()):
        responses[(code, MEDIA_TYPE)] = OpenApiResponse(Problem, description=why)
    decorator: Callable[[F], F] = extend_schema(
        operation_id=name,
        summary=summary,
        request=takes,
        examples=[OpenApiExample(summary, value=example, request_only=True)] if example else [],
        responses=responses,
        parameters=list(parameters),
        tags=[tag],
        auth=[],
    )
    return decorator


@extend_schema(exclude=True)
class SchemaDocument(APIView):
    """The description itself, for programs."""

    renderer_classes = [OpenApiJsonRenderer, JSONRenderer]
    throttle_classes = []

    def get(self, request: Request) -> HttpResponse:
        """Return the document."""
        media_type = request.accepted_renderer.media_type
        return HttpResponse(_document(), content_type=media_type)


class HtmlPage(TemplateHTMLRenderer):
    """Lets browsers, which ask for HTML, have the page."""


@extend_schema(exclude=True)
class DocumentPage(APIView):
    """The description for people, who can try each call on it."""

    renderer_classes: list[type[BaseRenderer]] = [HtmlPage]
    throttle_classes = []

    # The vendor's style sheet has its arrows within it, as data.
    @method_decorator(csp_update({"img-src": ["data:"]}))
    def get(self, request: Request) -> HttpResponse:
        """Return the page."""
        return render(request, "shop/api_docs.html")


@cache
def _document() -> bytes:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    encoded: bytes = OpenApiJsonRenderer().render(document)
    return encoded
