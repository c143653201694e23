"""A real PostgreSQL and a real Valkey for every test that asks for the database or `services`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from improvement.services import addresses, embedded, postgres
from tests.plugin import HOME


@pytest.fixture(scope="session")
def services() -> Path:
    """PostgreSQL and Valkey of this test run (embedded, or those that the environment names)."""
    embedded.start(HOME, durable=False)
    if addresses.database_is_embedded():
        with postgres.connect(HOME, postgres.SUPERUSER, postgres.SUPERUSER) as connection:
            connection.execute("ALTER ROLE pawl CREATEDB")  # only here: for the test database
    return HOME


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: Path) -> None:
    """pytest-django makes the test database after this."""


@pytest.fixture
def queues(services: Path) -> Iterator[None]:
    """RQ's queues, empty before and after."""
    import django_rq

    connection = django_rq.get_connection("default")
    connection.flushdb()
    yield
    connection.flushdb()
