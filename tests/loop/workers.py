"""Real worker and reconciler processes for the tests, on the test database and the test queue."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from django.conf import settings
from django.db import connection

from improvement.models import Run, Stage
from improvement.services import addresses
from improvement.services.process import spawn
from tests.loop.fake_stages import KINDS, effects


def database_url() -> str:
    """The URL of the test database, which is not the one that the environment names."""
    given = urlsplit(addresses.database_url())
    return given._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


class Crew:
    """Worker processes; whatever lives is killed at the end."""

    def __init__(self, log: Path, lease: float) -> None:
        self.log = log
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = os.environ | {
            "DATABASE_URL": database_url(),
            "REDIS_URL": addresses.redis_url(),
            "PAWL_RUN_KINDS": ",".join(f"{kind}={path}" for kind, path in KINDS.items()),
            "PAWL_LEASE": str(lease),
        }

    def start(self, *arguments: str) -> psutil.Process:
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
        with self.log.open("ab") as output:
            process = spawn(
                command, output=output, environment=self.environment, cwd=settings.BASE_DIR
            )
        self.processes.append(process)
        return psutil.Process(process.pid)

    def work(self, queues: str = "default,rollout", *more: str) -> psutil.Process:
        return self.start("work", "--queues", queues, *more)

    def reap(self) -> None:
        for process in self.processes:
            process.poll()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def text(self) -> str:
        return self.log.read_text()[-8000:]

    def until(self, true: Callable[[], Any], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self.text()
            self.reap()
            time.sleep(0.05)

    def finish(self, run: Run, seconds: float = 90) -> None:
        def ended() -> bool:
            run.refresh_from_db()
            return not run.active

        self.until(ended, seconds)


@contextmanager
def crew(folder: Path, lease: float = 3.0) -> Iterator[Crew]:
    made = Crew(folder / "workers.log", lease)
    try:
        yield made
    finally:
        made.stop()


def units_of(stage: Stage) -> list[int]:
    return [row["after"]["unit"] for row in effects(stage)]


def assert_each_effect_once(run: Run) -> None:
    for stage in run.stages.all():
        units = run.recipe["units"]
        assert units_of(stage) == list(range(units)), stage
