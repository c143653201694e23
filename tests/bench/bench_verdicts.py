"""Verdicts a second: the fast path and the wall beside the common way, in one run.

    python -m tests.bench.bench_verdicts [--seconds 4] [--threads 2]

The same function with five test cases is judged over and over by the verifier `unit_tests`: on
the fast path, behind the full wall, and as assert code in a process of its own. The common way
writes the program and one test to a file and starts a fresh Python for each test, without any wall
but a time limit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from improvement.records import TaskRecord
from improvement.verifiers.base import trajectory_of
from improvement.verifiers.build import build

PROGRAM = '''
from typing import List


def running_totals(xs: List[int], start: int = 0) -> List[int]:
    """The totals of the first item, of the first two, and so on."""
    totals = []
    total = start
    for x in xs:
        total += x
        totals.append(total)
    return totals
'''
CASES: list[dict[str, Any]] = [
    {"args": [[]], "expected": []},
    {"args": [[1, 2, 3]], "expected": [1, 3, 6]},
    {"args": [[-1, 1]], "expected": [-1, 0]},
    {"args": [[5], 5], "expected": [10]},
    {"args": [list(range(20))], "expected": [n * (n + 1) // 2 for n in range(20)]},
]
TESTS = [f"assert running_totals(*{case['args']!r}) == {case['expected']!r}" for case in CASES]
REFERENCE = {"entry_point": "running_totals", "cases": CASES, "tests": TESTS}
TASK = TaskRecord("t", "code", 1, "train", "p", REFERENCE, "x")


@dataclass(frozen=True)
class Measured:
    name: str
    verdicts: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.verdicts / self.seconds


def verifier(**spec: Any) -> Callable[[], bool]:
    """One verdict of a verifier; true when it passes."""
    made, attempt = build(spec), trajectory_of(TASK, f"```python{PROGRAM}```")
    return lambda: made.judge(TASK, attempt).answer == "pass"


def common(folder: Path) -> bool:
    """One verdict the common way: a file and a process for each test."""
    with tempfile.NamedTemporaryFile("w", suffix=".py", dir=folder, delete=False) as file:
        pass
    for test in TESTS:
        Path(file.name).write_text(f"{PROGRAM}\n{test}\n")
        done = subprocess.run([sys.executable, file.name], capture_output=True, timeout=10)
        if done.returncode != 0:
            return False
    return True


def measure(name: str, judge: Callable[[], bool], threads: int, seconds: float) -> Measured:
    """Verdicts in about `seconds`, after a first one that starts what must be started."""
    assert judge(), f"{name}: a right program must pass"
    started = time.perf_counter()

    def work(_: int) -> int:
        count = 0
        while time.perf_counter() - started < seconds:
            assert judge()
            count += 1
        return count

    with ThreadPoolExecutor(threads) as pool:
        count = sum(pool.map(work, range(threads)))
    return Measured(name, count, time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder:
        ways = {
            "fast path": verifier(kind="unit_tests"),
            "behind the wall": verifier(kind="unit_tests", fast=False),
            "asserts, two processes": verifier(kind="asserts"),
            "a subprocess a test": lambda: common(Path(folder)),
        }
        found = [measure(*way, asked.threads, asked.seconds) for way in ways.items()]
    slowest = found[-1].rate
    cores = len(os.sched_getaffinity(0))
    print(f"A function with {len(CASES)} test cases, {asked.threads} threads, {cores} cores")
    print(f"{'':24}{'verdicts/s':>12}{'ratio':>10}")
    for one in found:
        print(f"{one.name:24}{one.rate:12,.0f}{one.rate / slowest:9.1f}x")


if __name__ == "__main__":
    main()
