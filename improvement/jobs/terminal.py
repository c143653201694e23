"""Shows a run in a terminal: a bar a stage, or plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from improvement.jobs import crew, follow
from improvement.jobs.follow import Snapshot
from improvement.models import Run, Stage, StageStates

LINE_EVERY = 10.0  # seconds between two plain lines about the same stage
PATIENCE = 20.0  # seconds that a stage may wait before workers are looked for
WORDS = {
    StageStates.PENDING: "",
    StageStates.READY: "waits for a worker",
    StageStates.QUARANTINED: "failed",
    StageStates.CANCELLED: "cancelled",
}


def show(run: Run, say: Callable[[str], object], *, console: Console | None = None) -> Run:
    """Follow `run` until it ends; the ended run. With a console: bars; else lines for `say`."""
    view: Bars | Lines = Bars(console) if console else Lines(say)
    notice = Notice(console.print if console else say)
    last = run
    with view.shown():
        for now in follow.follow(run):
            view.update(now)
            notice.update(now)
            last = now.run
    return last


def words(stage: Stage) -> str:
    if stage.state == StageStates.DONE:
        return f"done in {follow.took(stage)}"
    if stage.state == StageStates.RUNNING:
        again = f" (attempt {stage.attempt})" if stage.attempt > 1 else ""
        return (follow.counts(stage) or "begins") + again
    if stage.state == StageStates.READY and stage.error:
        last = stage.error.strip().split("\n")[-1]
        return f"tried again after: {last}"
    return WORDS[StageStates(stage.state)]


class Bars:
    """One bar a stage, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[said]}"),
            console=console,
        )
        self._tasks: dict[int, TaskID] = {}

    def shown(self) -> AbstractContextManager[object]:
        return self._progress

    def update(self, now: Snapshot) -> None:
        for stage in now.stages:
            if stage.pk not in self._tasks:
                self._tasks[stage.pk] = self._progress.add_task(stage.name, total=1, said="")
            total = stage.progress.get("total") or 1
            done = total if stage.state == StageStates.DONE else stage.progress.get("done", 0)
            pulses = stage.state == StageStates.RUNNING and not stage.progress.get("total")
            self._progress.update(
                self._tasks[stage.pk],
                completed=done,
                total=None if pulses else total,
                said=escape(words(stage)),
            )


class Lines:
    """A line when a stage changes its state, and one every ten seconds of work."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._said: dict[int, tuple[str, int]] = {}
        self._at = 0.0

    def shown(self) -> AbstractContextManager[object]:
        return nullcontext()

    def update(self, now: Snapshot) -> None:
        for stage in now.stages:
            state = (stage.state, stage.attempt)
            news = self._said.get(stage.pk, (StageStates.PENDING, 0)) != state
            due = time.monotonic() - self._at >= LINE_EVERY
            if news or (due and stage.state == StageStates.RUNNING):
                self._say(f"{now.run}  {stage.name:<8} {words(stage)}")
                self._said[stage.pk], self._at = state, time.monotonic()


class Notice:
    """Says once for a stage when it waits and no worker serves its queue."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._stage: int | None = None
        self._since = 0.0
        self._told = False

    def update(self, now: Snapshot) -> None:
        current = now.current
        waits = current.pk if current and current.state == StageStates.READY else None
        if waits != self._stage:
            self._stage, self._since, self._told = waits, time.monotonic(), False
        if current is None or waits is None or self._told:
            return
        if time.monotonic() - self._since > PATIENCE:
            self._told = True
            if sentence := crew.unattended([current.queue]):
                self._say(sentence)
