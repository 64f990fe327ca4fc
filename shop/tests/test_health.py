"""What a web process tells of itself to whoever runs it."""

import pytest
from django.db import connection
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_process_with_its_database_is_alive_and_ready(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.json() == {"process": "web", "ok": True, "waiting_for": None}


@pytest.mark.django_db(transaction=True)
def test_a_process_without_its_database_lives_is_not_ready_and_says_why(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        ready, alive = client.get("/readyz"), client.get("/livez")

    assert (ready.status_code, ready.json()["waiting_for"]) == (503, "database")
    assert alive.status_code == 200


def test_metrics_are_told_in_the_words_of_prometheus(client: Client) -> None:
    answer = client.get("/metrics")

    assert answer["Content-Type"].startswith("text/plain")
    assert b"# HELP" in answer.content


@pytest.mark.django_db
def test_probes_come_without_tls_where_pages_insist_on_it(client: Client, settings: object) -> None:
    settings.SECURE_SSL_REDIRECT = True  # type: ignore[attr-defined]

    assert client.get("/").status_code == 301
    assert [client.get(path).status_code for path in ("/livez", "/readyz", "/metrics")] == [200, 200, 200]
