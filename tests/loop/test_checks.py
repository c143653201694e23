"""System checks: unsafe settings are refused with a sentence and a remedy."""

import pytest
from django.core.checks import Error

from improvement import checks

LONG = "k3T-9vQx_27LmzPa81-wEr5Tyu0Plk4Jhg2Fds7Aqz3Xsw6"


def broken_environment():
    raise RuntimeError("no price list")


def found(check, level=Error):
    messages = check(None)
    assert all(isinstance(m, level) and m.hint for m in messages)
    return [m.id for m in messages]


@pytest.mark.parametrize(
    ("debug", "bind", "ids"),
    [
        (True, "0.0.0.0", ["pawl.E001"]),
        (True, "192.0.2.7", ["pawl.E001"]),
        (True, "::", ["pawl.E001"]),
        (True, "127.0.0.1", []),
        (True, "::1", []),
        (True, "localhost", []),
        (False, "0.0.0.0", []),
    ],
)
def test_debug_is_refused_where_the_network_reaches_it(settings, debug, bind, ids):
    settings.DEBUG, settings.PAWL_BIND = debug, bind
    assert found(checks.check_debug) == ids


@pytest.mark.parametrize("secret", ["short", "x" * 60, "django-insecure-" + LONG])
def test_a_weak_secret_is_refused(settings, secret):
    settings.SECRET_KEY = secret
    assert found(checks.check_secret) == ["pawl.E002"]


def test_a_random_secret_is_fine(settings):
    settings.SECRET_KEY = LONG
    assert found(checks.check_secret) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("improvement.nowhere.Shop", "ModuleNotFoundError"),
        ("improvement.records.Shop", "ImportError"),
        ("tests.loop.test_checks.broken_environment", "RuntimeError: no price list"),
    ],
)
def test_an_environment_that_can_not_be_used_is_named(settings, path, said):
    settings.PAWL_ENVIRONMENTS = {"shop": path}
    (message,) = checks.check_environments(None)
    assert message.id == "pawl.W003"
    assert path in message.msg
    assert said in message.msg


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("postgres://pawl@db.example/pawl", ["pawl.E003"]),
        ("postgres://pawl@/pawl?host=db.example", ["pawl.E003"]),
        ("postgres://pawl:word@db.example/pawl", []),
        ("postgres://pawl@127.0.0.1/pawl", []),
        ("postgres://pawl@/pawl?host=%2Frun%2Fpostgresql", []),
    ],
)
def test_a_database_without_password_on_the_network_is_refused(monkeypatch, url, ids):
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert found(checks.check_addresses) == ids


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("redis://queue.example/0", ["pawl.E004"]),
        ("redis://:word@queue.example/0", []),
        ("redis://localhost/0", []),
        ("unix:///run/valkey.sock", []),
    ],
)
def test_a_queue_without_password_on_the_network_is_refused(monkeypatch, url, ids):
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert found(checks.check_addresses) == ids
