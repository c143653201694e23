"""`manage.py up`: one command starts everything, restarts what crashes, and leaves no orphan."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil
import pytest
from django.conf import settings

from improvement.services import addresses, postgres, valkey

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not addresses.database_is_embedded(), reason="about the embedded services"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Up:
    """A running `manage.py up` with its own home and port."""

    def __init__(self, home, *arguments, port=None):
        self.home, self.port = home, port or free_port()
        self.environment = {**os.environ, "PAWL_HOME": str(home), "PAWL_PORT": str(self.port)}
        self.log = home.parent / f"up-{time.monotonic_ns()}.log"
        self.started = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=settings.BASE_DIR, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def get(self, path):
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()
        except (URLError, OSError):
            return 0, b""

    def wait_for(self, path="/readyz", seconds=60):
        self.until(lambda: self.get(path)[0] == 200, seconds)
        return time.monotonic() - self.started

    def until(self, true, seconds):
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def family(self):
        """All living processes below it, services too."""
        return [p for p in psutil.Process(self.process.pid).children(recursive=True) if lives(p)]

    def masters(self):
        """The web server's first process, where it lives."""
        children = psutil.Process(self.process.pid).children()
        return [p for p in children if lives(p) and "gunicorn" in p.cmdline()]


def lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def home():
    """One home for all of these tests: the first start makes the database, once."""
    with tempfile.TemporaryDirectory(prefix="pawl-test-") as name:
        yield Path(name) / "home"


@pytest.fixture
def up(home):
    running = Up(home)
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        running.process.wait(30)


def test_one_signal_stops_all_and_the_next_start_answers(up):
    up.wait_for()
    family = up.family()
    assert len(family) >= 5
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(60) == 0
    assert not [p for p in family if lives(p)]
    text = up.log.read_text()
    assert text.index("valkey    stopped") < text.index("postgres  stopped")
    assert not (addresses.socket_dir(up.home) / "valkey.sock").exists()
    again = Up(up.home)
    try:
        again.wait_for()
    finally:
        again.process.terminate()
        again.process.wait(30)


def test_a_killed_up_leaves_no_orphan_and_starts_again(up):
    up.wait_for()
    family = up.family()
    up.process.kill()
    up.process.wait()
    up.until(lambda: not [p for p in family if lives(p)], 20)
    again = Up(up.home)
    try:
        again.wait_for()
    finally:
        again.process.terminate()
        again.process.wait(30)


def test_what_is_killed_comes_back(up):
    up.wait_for()
    os.kill(postgres.running_pid(up.home), signal.SIGKILL)
    up.until(lambda: "postgres  is not running: starting it again" in up.log.read_text(), 10)
    up.wait_for()
    os.kill(valkey.running_pid(up.home), signal.SIGKILL)
    up.wait_for()
    (old,) = up.masters()
    old.kill()
    up.until(lambda: "web       ended with -9" in up.log.read_text(), 10)
    up.until(lambda: {p.pid for p in up.masters()} - {old.pid}, 20)
    up.wait_for()


def test_two_can_not_share_a_home_or_a_port(up, folder):
    up.wait_for("/healthz")
    same_home = Up(up.home)
    assert same_home.process.wait(30) == 1
    assert f"already running in {up.home} (process {up.process.pid})" in same_home.log.read_text()
    same_port = Up(folder / "other", port=up.port)
    assert same_port.process.wait(30) == 1
    said = same_port.log.read_text()
    assert f"Port {up.port} on 127.0.0.1 is in use" in said
    assert f"PAWL_PORT={up.port + 1}" in said
    assert up.get("/healthz")[0] == 200
