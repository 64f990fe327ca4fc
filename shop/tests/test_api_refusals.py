"""Whatever the API refuses, it refuses as a problem document (RFC 9457)."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from rest_framework.settings import api_settings

from shop.apis import throttles
from shop.apis.throttles import Window

pytestmark = pytest.mark.django_db


def problem_of(answer: Any) -> dict[str, Any]:
    assert answer["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    return problem


def send(client: Client, body: bytes, content_type: str = "application/json") -> Any:
    return client.post("/api/v1/orders/", body, content_type=content_type)


@pytest.mark.parametrize(
    "path", ["", "v1/", "v1/nothing/", "v2/products/", "v1/orders/a/b/c/d/", "v1/orders/%00/"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_address_that_is_none_is_404(client: Client, path: str, method: str) -> None:
    answer = getattr(client, method)(f"/api/{path}")

    assert answer.status_code == 404
    problem_of(answer)


def test_an_address_without_its_slash_says_what_is_missing(client: Client) -> None:
    answer = client.post("/api/v1/orders", {}, content_type="application/json")

    assert answer.status_code == 404
    assert "ends in a slash" in problem_of(answer)["detail"]


@pytest.mark.parametrize(
    ("method", "path"), [("get", "orders/"), ("delete", "products/"), ("options", "orders/")]
)
def test_a_method_that_is_not_served_is_405_and_those_that_are_are_named(
    client: Client, method: str, path: str
) -> None:
    answer = getattr(client, method)(f"/api/v1/{path}")

    assert answer.status_code == 405
    assert answer["Allow"]
    problem_of(answer)


def test_who_takes_no_json_gets_406(client: Client) -> None:
    answer = client.get("/api/v1/products/", headers={"Accept": "text/csv"})

    assert answer.status_code == 406
    problem_of(answer)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense", ""])
def test_what_is_not_declared_as_json_is_415(client: Client, content_type: str) -> None:
    answer = send(client, b"{}", content_type=content_type)

    assert answer.status_code == 415
    problem_of(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} {}",
        b'{"email": "\xff"}',
        b'{"nonsense": 1, "email": "\xff"}',
        b'{"email": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b'{"email": NaN}',
        b"\0",
    ],
)
def test_what_is_no_json_is_400(client: Client, body: bytes) -> None:
    answer = send(client, body)

    assert answer.status_code == 400
    problem_of(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"order"',
        b"1e999",
        b"9" * 5000,
        b"[" * 60_000,
        b'{"lines":' * 6_000,
        b'{"lines":' + b"[" * 60_000,
        b'{"email": 1' + b"0" * 5000 + b"}",
    ],
)
def test_json_of_the_wrong_shape_is_refused_however_odd(client: Client, body: bytes) -> None:
    answer = send(client, body)

    assert answer.status_code in {400, 422}
    problem_of(answer)


def test_too_large_a_body_is_413(client: Client) -> None:
    answer = send(client, b'{"email": "' + b"x" * 70_000 + b'"}')

    assert answer.status_code == 413
    problem_of(answer)


def test_a_host_that_is_not_ours_is_told_so_as_a_problem(client: Client) -> None:
    answer = client.get("/api/v1/products/", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    problem_of(answer)


def test_what_nobody_foresaw_is_500_logged_and_tells_nothing(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE shop_product RENAME TO lost")

    answer = client.get("/api/v1/products/")

    assert answer.status_code == 500
    assert "shop_product" not in str(problem_of(answer))
    assert "shop_product" in caplog.text


def test_pages_go_on_answering_as_pages(client: Client) -> None:
    assert client.get("/nowhere/")["Content-Type"].startswith("text/html")


class TestThrottle:
    """No client calls more often than the shop allows."""

    @pytest.fixture(autouse=True)
    def _rates(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            api_settings, "DEFAULT_THROTTLE_RATES", {"anonymous": "3/day", "checkout": "2/day"}
        )

    @pytest.fixture
    def client(self) -> Client:
        """Somebody whom the shop has never seen."""
        return Client(REMOTE_ADDR=str(uuid4()))

    def test_who_reads_too_often_is_told_when_to_come_back(self, client: Client) -> None:
        statuses = [client.get("/api/v1/products/").status_code for _ in range(3)]
        refused = client.get("/api/v1/products/")

        assert statuses == [200, 200, 200]
        assert refused.status_code == 429
        assert 1 <= int(refused["Retry-After"]) <= 86_400
        problem_of(refused)

    def test_orders_and_payment_methods_are_counted_together_and_tighter(self, client: Client) -> None:
        statuses = [
            client.post(f"/api/v1/{call}/", {}, content_type="application/json").status_code
            for call in ("orders", "payment-methods", "orders")
        ]

        assert statuses == [422, 422, 429]

    def test_one_client_does_not_use_up_what_another_may(self, client: Client) -> None:
        for _ in range(4):
            client.get("/api/v1/products/")

        assert Client(REMOTE_ADDR=str(uuid4())).get("/api/v1/products/").status_code == 200

    def test_what_a_client_claims_of_its_address_is_not_believed(self, client: Client) -> None:
        statuses = [
            client.get("/api/v1/products/", headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
            for number in range(4)
        ]

        assert statuses == [200, 200, 200, 429]

    def test_behind_a_proxy_the_proxys_word_for_the_client_counts(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api_settings, "NUM_PROXIES", 1)
        one, other = (f"claimed, 198.51.100.{uuid4()}" for _ in range(2))

        statuses = [
            client.get("/api/v1/products/", headers={"X-Forwarded-For": chain}).status_code
            for chain in (one, one, one, one, other)
        ]

        assert statuses == [200, 200, 200, 429, 200]

    def test_processes_count_together(self) -> None:
        one, other = (Window(scope="anonymous", began_at=86_400) for _ in range(2))
        caller = str(uuid4())

        assert [window.count(client=caller) for window in (one, one, other, other)] == [1, 2, 2, 3]


def test_a_client_that_was_counted_a_moment_ago_costs_no_statement(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(throttles, "_SETTLE_SECONDS", 3600.0)  # a moment, also on a slow machine
    window, caller = Window(scope="anonymous", began_at=86_400), str(uuid4())
    window.count(client=caller)

    with django_assert_num_queries(0):
        assert window.count(client=caller) == 2
