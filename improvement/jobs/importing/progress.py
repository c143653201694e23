"""Shows an import in a terminal: a bar with rate and time left, or plain lines without one."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from improvement.jobs.importing.report import Report

LINE_EVERY = 10.0  # seconds between two plain lines


class Watcher:
    """Called with the report after every batch. `total` and `done` are in one unit (bytes of a
    file, or tasks asked for); a total of 0 is unknown."""

    def __init__(
        self,
        total: int,
        done: Callable[[Report], int],
        say: Callable[[str], object],
        console: Console | None,
    ) -> None:
        self._total, self._done, self._say = total, done, say
        self._began = self._said = time.monotonic()
        self._bar = _bar(console) if console else None
        self._task = self._bar.add_task("", total=total or None, said="") if self._bar else None

    def shown(self) -> AbstractContextManager[object]:
        return self._bar or nullcontext()

    def __call__(self, report: Report) -> None:
        rate = report.lines / max(time.monotonic() - self._began, 1e-3)
        said = f"{report.lines:,} lines, {rate:,.0f} lines/s"
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=self._done(report), said=said)
        elif time.monotonic() - self._said >= LINE_EVERY:
            self._said = time.monotonic()
            self._say(said + self._left(report))

    def _left(self, report: Report) -> str:
        done = self._done(report)
        if not self._total or not done:
            return ""
        seconds = (time.monotonic() - self._began) * (self._total - done) / done
        return f", about {max(seconds, 0):,.0f} s left"


def size_of(stream: BinaryIO) -> int:
    """The bytes of a regular file; 0 for a pipe, whose end nobody knows."""
    try:
        found = os.fstat(stream.fileno())
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def sentences(report: Report, dry: bool) -> Iterable[str]:
    """The report in words: the figures, then the bad lines."""
    would = "would be added" if dry else "added"
    yield f"{report.added:,} {would}, {report.there:,} already there, {report.bad:,} bad"
    for (split, family), count in sorted(report.kept.items()):
        yield f"  {split:<8} {family:<28} {count:>7,}"
    if report.unverified:
        yield (
            f"Without a verifier of their own: {report.unverified:,}; the suite has none either. "
            "Give it one with --verifier, or the agent's recipe must name one."
        )
    for name, count in report.ignored.most_common(5):
        yield f"Field “{name}” is not read (lines: {count:,})."
    if report.bad:
        yield "Left out:"
    for problem in sorted(report.problems, key=lambda problem: problem.number):
        yield f"  {problem}"
    if report.bad > len({p.number for p in report.problems}):
        yield "  … the others are counted, not listed."


def _bar(console: Console) -> Progress:
    return Progress(
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
        console=console,
    )
