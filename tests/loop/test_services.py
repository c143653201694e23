"""The embedded services: private, durable, found again after a kill, gone with their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection

from improvement.services import account, addresses, embedded, lock, postgres, valkey

pytestmark = pytest.mark.skipif(
    not addresses.database_is_embedded(), reason="these are about the embedded services"
)


@pytest.fixture
def home(folder):
    """A PAWL_HOME of its own, whose services are stopped at the end."""
    yield folder / "home"
    embedded.stop(folder / "home")


def wait_until(true, seconds=20):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.mark.django_db
def test_the_application_role_is_not_a_superuser_and_no_port_is_open():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",)


def test_a_new_home_gets_a_role_that_may_make_no_database(home):
    embedded.start(home)
    with postgres.connect(home) as connected:
        rights = "rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication"
        row = connected.execute(f"SELECT {rights} FROM pg_roles WHERE rolname = 'pawl'").fetchone()
        names = connected.execute("SELECT extname FROM pg_extension").fetchall()
    assert row == (False,) * 5
    assert ("pg_trgm",) in names


def test_only_this_user_reaches_the_sockets(home):
    embedded.start(home)
    folder = addresses.socket_dir(home)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {entry.name for entry in folder.iterdir()} >= {".s.PGSQL.5432", "valkey.sock"}
    assert valkey.client(home).config_get("port") == {"port": "0"}


def test_starting_twice_is_starting_once(home):
    assert embedded.start(home) == ["postgres", "valkey"]
    assert embedded.start(home) == []


def test_valkey_keeps_what_it_was_told(home):
    valkey.start(home)
    assert valkey.client(home).config_get("appendonly") == {"appendonly": "yes"}
    assert valkey.client(home).config_get("appendfsync") == {"appendfsync": "everysec"}
    valkey.client(home).set("doorbell", "rung")
    time.sleep(1.2)  # one period of appendfsync
    os.kill(valkey.running_pid(home), signal.SIGKILL)
    wait_until(lambda: not valkey.is_running(home))
    valkey.start(home)
    assert valkey.client(home).get("doorbell") == b"rung"


def test_postgres_keeps_what_it_acknowledged(home):
    process = postgres.start(home)
    with postgres.connect(home) as connected:
        connected.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    process.kill()
    postgres.start(home)
    with postgres.connect(home) as connected:
        assert connected.execute("SELECT seven FROM kept").fetchone() == (7,)


def test_a_stale_lock_file_that_names_another_program_is_no_obstacle(home):
    process = postgres.start(home)
    pid_file = postgres.data_folder(home) / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    process.kill()
    process.wait()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    postgres.start(home)
    assert postgres.running_pid(home) not in (None, os.getpid())


def test_an_unfinished_first_start_is_begun_again(home):
    (home / "postgres.new").mkdir(parents=True)
    (home / "postgres.new" / "PG_VERSION").write_text("18")
    postgres.start(home)
    with postgres.connect(home) as connected:
        assert connected.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_parent_takes_its_services_along(home):
    code = (
        "import sys, time; from pathlib import Path; from improvement.services import embedded\n"
        f"embedded.start(Path({str(home)!r})); print('up', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout.readline() == b"up\n"
        servers = [psutil.Process(postgres.running_pid(home))]
        servers.append(psutil.Process(valkey.running_pid(home)))
        parent.kill()
    wait_until(lambda: not any(lives(server) for server in servers))


def lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_one_home_belongs_to_one_pawl(tmp_path):
    with lock.hold(tmp_path):
        assert lock.pid_file(tmp_path).read_text() == f"{os.getpid()}\n"
        refused = pytest.raises(account.ServiceError, match=f"process {os.getpid()}")
        with refused, lock.hold(tmp_path):
            pass
    with lock.hold(tmp_path):
        pass


def test_a_long_home_gets_a_short_socket_folder():
    place = Path("/srv") / ("x" * 120)
    assert len(str(addresses.socket_dir(place))) < 80
    assert addresses.socket_dir(place) != addresses.socket_dir(place / "y")


def test_a_command_without_services_says_what_to_do(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "showmigrations"],
        cwd=settings.BASE_DIR, env={**os.environ, "PAWL_HOME": str(tmp_path / "empty")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "PostgreSQL isn't running: start Pawl with `python manage.py up`.\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the services as another account")
def test_below_a_closed_folder_only_the_services_account_may_pass(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    services = account.service_account()
    account.let_through(closed / "x", services)
    assert subprocess.run(["test", "-x", closed], user=services.pw_uid, check=False).returncode == 0
    assert subprocess.run(["test", "-r", closed], user=services.pw_uid, check=False).returncode == 1
    assert closed.stat().st_mode & 0o001 == 0
    assert subprocess.run(["test", "-x", closed], user=65534, check=False).returncode == 1
