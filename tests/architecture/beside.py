"""mypy as a process beside the tests: nobody's child, because some tests count children."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from tests.plugin import HOME

ROOT = Path(__file__).parents[2]
SAID, STATUS = HOME / "mypy.txt", HOME / "mypy.status"
WITHIN = 600.0  # seconds
RUN = '(nice -n 10 "$0" -m mypy > "$1" 2>&1; echo $? > "$2.part"; mv "$2.part" "$2") &'


@cache
def begin() -> None:
    """Start it, once; it gives way to the tests."""
    command = ["sh", "-c", RUN, sys.executable, str(SAID), str(STATUS)]
    subprocess.run(command, cwd=ROOT, check=True)


def result() -> tuple[int, str]:
    """Its exit status and all that it said."""
    begin()
    deadline = time.monotonic() + WITHIN
    while not STATUS.exists():
        assert time.monotonic() < deadline, f"mypy takes longer than {WITHIN:g} seconds"
        time.sleep(0.1)
    return int(STATUS.read_text()), SAID.read_text()
