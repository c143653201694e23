"""Real servers: part of the suite again, over TCP, with passwords (DATABASE_URL, REDIS_URL)."""

import os
import re
import secrets
import socket
import subprocess
import sys
import time

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection

from improvement.services import account, addresses, postgres, valkey
from improvement.services.process import spawn


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(answers, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return answers()
        except (psycopg.OperationalError, redis.RedisError):
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)


@pytest.fixture
def database_url(folder):
    """A second PostgreSQL that knows nothing of PAWL_HOME: TCP only, scram passwords."""
    home, port, password = folder / "pg", free_port(), secrets.token_urlsafe(16)
    postgres.start(home, durable=False)
    with postgres.connect(home, postgres.SUPERUSER, postgres.SUPERUSER) as connected:
        connected.execute(f"ALTER ROLE pawl CREATEDB PASSWORD '{password}'")
    postgres.stop(home)
    data = postgres.data_folder(home)
    (data / "pg_hba.conf").write_text("host all pawl 127.0.0.1/32 scram-sha-256\n")
    values = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
    options = [f"--{name}={value}" for name, value in (values | postgres.NOT_DURABLE).items()]
    server = spawn(
        [str(postgres.PROGRAMS / "postgres"), "-D", str(data), *options],
        account=account.service_account(), cwd=data, output=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"postgres://pawl:{password}@127.0.0.1:{port}/pawl"
    wait_until(lambda: psycopg.connect(url).close())
    yield url
    server.terminate()
    server.wait(20)


@pytest.fixture
def redis_url(tmp_path):
    """A second Valkey on a port, with a password."""
    port, password = free_port(), secrets.token_urlsafe(16)
    server = spawn(
        [str(valkey.program()), "--port", str(port), "--bind", "127.0.0.1",
         "--requirepass", password, "--appendonly", "yes", "--dir", str(tmp_path)],
        output=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    wait_until(lambda: redis.Redis.from_url(url).ping())
    yield url
    server.terminate()
    server.wait(20)


@pytest.mark.slow
@pytest.mark.skipif(not addresses.database_is_embedded(), reason="this is the inner run")
def test_part_of_the_suite_passes_over_tcp_with_passwords(database_url, redis_url):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "external", "--durations=0"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 40


@pytest.mark.external
@pytest.mark.django_db
def test_these_are_the_given_servers(services):
    """Meant for the inner run; with the embedded services it sees their socket."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inet_server_port(), rolsuper FROM pg_roles WHERE rolname = 'pawl'")
        port, superuser = cursor.fetchone()
    assert not superuser
    assert (port is None) == addresses.database_is_embedded()
    assert bool(addresses.redis_url().startswith("unix:")) == addresses.redis_is_embedded()
