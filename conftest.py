"""Every test runs on real servers; see `stack/testing.py`."""

from collections.abc import Iterator

import django
import pytest

from events.wakeup import stop_waking
from stack.postgres import Postgres
from stack.testing import export_environment

pytest_plugins = ["stack.pytest_plugin"]

export_environment()
django.setup()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_server: Postgres) -> None:
    """Have PostgreSQL running before the tests' database is made."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Let go of the tests' database before it is dropped, and of the bank."""
    from payments.gateways import close_gateway  # needs the apps to be loaded

    yield
    stop_waking()
    close_gateway()
