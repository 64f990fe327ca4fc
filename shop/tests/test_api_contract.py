"""The API keeps to its document, whatever a program that has read it makes up."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pytest_django.live_server_helper import LiveServer
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shop.tests.shelf import put_on_shelf

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bank_server")]

EXAMPLES = 8
SOUND, UNSOUND = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CALLS = [
    ("GET", "/api/v1/products/", SOUND),
    ("GET", "/api/v1/products/", UNSOUND),
    ("GET", "/api/v1/products/{slug}/", SOUND),
    ("POST", "/api/v1/payment-methods/", SOUND),
    ("POST", "/api/v1/payment-methods/", UNSOUND),
    ("POST", "/api/v1/orders/", SOUND),
    ("POST", "/api/v1/orders/", UNSOUND),
    ("GET", "/api/v1/orders/{token}/", SOUND),
    ("GET", "/api/v1/orders/{token}/timeline/", SOUND),
    ("GET", "/api/v1/orders/{token}/timeline/", UNSOUND),
    ("POST", "/api/v1/orders/{token}/cancel/", SOUND),
    ("POST", "/api/v1/orders/{token}/pay/", SOUND),
    ("POST", "/api/v1/orders/{token}/pay/", UNSOUND),
]
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize(("method", "path", "mode"), CALLS)
def test_a_call_does_as_the_document_says(
    live_server: LiveServer, method: str, path: str, mode: GenerationMode
) -> None:
    put_on_shelf(sku="FOX-1")
    document = schemathesis.openapi.from_url(f"{live_server.url}/api/v1/schema/")

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=document[path][method].as_strategy(generation_mode=mode))
    def call(case: Case[Any]) -> None:
        case.call_and_validate(base_url=live_server.url, checks=CHECKS)

    call()
