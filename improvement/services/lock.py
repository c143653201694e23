"""One Pawl per PAWL_HOME."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from improvement.services.account import ServiceError


def pid_file(home: Path) -> Path:
    return home / "up.pid"


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Hold `home` for this process, its pid in `up.pid`. ServiceError where another holds it."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with pid_file(home).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ServiceError(
                f"Pawl is already running in {home} (process {file.read().strip()}). Stop that "
                "one, or set PAWL_HOME and PAWL_PORT to start a second beside it."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)
