"""Fixtures for servers and processes: a server starts at the first test that asks for it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from stack.brokers import Cluster
from stack.chromium import ensure_chromium
from stack.postgres import Postgres
from stack.process import Process
from stack.programs import DemoBank, Manage
from stack.testing import servers

SHOWN_OF_A_LOG = 4000


@pytest.fixture(scope="session")
def postgres_server() -> Postgres:
    """PostgreSQL; tests marked `django_db` have it without asking."""
    servers().start(servers().postgres)
    return servers().postgres


@pytest.fixture(scope="session")
def kafka_servers() -> Cluster:
    """Apache Kafka at `settings.KAFKA_BOOTSTRAP_SERVERS`."""
    cluster = servers().cluster
    cluster.prepare(report=print)
    servers().start(cluster)
    return cluster


@pytest.fixture(scope="session")
def bank_server() -> DemoBank:
    """The demo bank at `settings.BANK_URL`."""
    servers().start(servers().bank)
    return servers().bank


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """A browser, for Playwright's `executable_path`."""
    return ensure_chromium()


@pytest.fixture(scope="session")
def process_environment(django_db_setup: None) -> dict[str, str]:  # noqa: ARG001
    """The environment for a process that works on the tests' database."""
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return {**os.environ, "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}"}


@pytest.fixture
def start_manage(process_environment: dict[str, str]) -> Iterator[Callable[..., Process]]:
    """Call it to start `manage.py ARGUMENTS` in the background; what still runs after the test is stopped."""
    started: list[Process] = []

    def start(*arguments: str, **variables: str) -> Process:
        process = Manage(
            *arguments,
            name=f"manage-{arguments[0]}-{len(started)}",
            state=servers().state,
            environment={**process_environment, **variables},
        )
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.stop(seconds=5)
        print(f"{process.name}:", process.log.read_text()[-SHOWN_OF_A_LOG:])
