"""Every test runs on real servers; see `stack/testing.py`."""

import django
import pytest

from stack.postgres import Postgres
from stack.testing import export_environment

pytest_plugins = ["stack.pytest_plugin"]

export_environment()
django.setup()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_server: Postgres) -> None:
    """Have PostgreSQL running before the tests' database is made."""
