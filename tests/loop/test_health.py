"""/healthz and /readyz, for load balancers and containers."""

import pytest
from django.db import OperationalError

from improvement import health


def test_healthz_answers_a_stranger_without_the_database(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.external
@pytest.mark.django_db
def test_readyz_says_that_database_and_queue_answer(client, services):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "queue": "ok"}


@pytest.mark.django_db
def test_readyz_names_a_queue_that_does_not_answer(client, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "unix:///nowhere/valkey.sock")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "queue": "does not answer"}


def test_readyz_names_a_database_that_does_not_answer(client, services, monkeypatch):
    def gone():
        raise OperationalError("connection refused at 10.0.0.7, password hunter2")

    monkeypatch.setattr(health.connection, "cursor", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "does not answer", "queue": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_no_redirect_to_tls_on_the_health_pages(client, services, settings, path):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path).status_code != 301
