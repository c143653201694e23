"""A real PostgreSQL and a real Valkey for every test that asks for the database or `services`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import override_settings

from improvement.doctor import BROWSERS
from improvement.services import addresses, embedded, postgres
from tests.plugin import HOME

CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests need a browser."""
    for item in items:
        if item.get_closest_marker("browser") and not CHROMIUM:
            item.add_marker(pytest.mark.skip("no chromium here: apt-get install chromium"))


@pytest.fixture(scope="session")
def services() -> Path:
    """PostgreSQL and Valkey of this test run (embedded, or those that the environment names)."""
    embedded.start(HOME, durable=False)
    if addresses.database_is_embedded():
        with postgres.connect(HOME, postgres.SUPERUSER, postgres.SUPERUSER) as connection:
            connection.execute("ALTER ROLE pawl CREATEDB")  # only here: for the test database
    return HOME


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for services. Not `tmp_path`: every pytest that starts closes the folder above
    that one, and PostgreSQL, running as another account under root, can't pass any more."""
    with tempfile.TemporaryDirectory(prefix="pawl-test-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: Path) -> None:
    """pytest-django makes the test database after this."""


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """A cheap hash, so that making a user does not take a third of a second."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def emptying_after_transactional_tests() -> Iterator[None]:
    """Let Django empty the append-only tables after a test that committed; only their owner may
    switch the triggers off, and only here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops, "execute_sql_flush", _flush_without_triggers)
        yield


def _flush_without_triggers(statements: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        )
        tables = [table for (table,) in cursor.fetchall()]
        switch = "ALTER TABLE {} {} TRIGGER USER"
        off = [switch.format(table, "DISABLE") for table in tables]
        on = [switch.format(table, "ENABLE") for table in tables]
        for statement in [*off, *statements, *on]:
            cursor.execute(statement)


@pytest.fixture
def queues(services: Path) -> Iterator[None]:
    """RQ's queues, empty before and after."""
    import django_rq

    connection = django_rq.get_connection("default")
    connection.flushdb()
    yield
    connection.flushdb()
