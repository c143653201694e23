"""A run as it goes, for the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from improvement.models import Evaluation, EvaluationKinds, Run, RunStates, Stage, StageStates

BEGUN = (StageStates.RUNNING, StageStates.READY, StageStates.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run and its stages in order, read at one moment."""

    run: Run
    stages: tuple[Stage, ...]

    @property
    def current(self) -> Stage | None:
        """The stage at work, waiting or broken."""
        return next((stage for stage in self.stages if stage.state in BEGUN), None)


def snapshot(run: Run) -> Snapshot:
    row = Run.objects.select_related("agent").get(pk=run.pk)
    return Snapshot(row, tuple(row.stages.order_by("position")))


def follow(run: Run, *, pause: float = 0.5) -> Iterator[Snapshot]:
    """The run's snapshots, one every `pause` seconds; the last one is of the ended run."""
    while True:
        now = snapshot(run)
        yield now
        if not now.run.active:
            return
        time.sleep(pause)


def following_run(run: Run) -> Run | None:
    """The next cycle, where it started by itself."""
    if run.state != RunStates.DONE:
        return None
    later = Run.objects.filter(agent_id=run.agent_id, cycle__gt=run.cycle)
    return later.select_related("agent").order_by("cycle").first()


def counts(stage: Stage) -> str:
    """Where a stage stands: "120 of 240 attempts, 3.2/s, 38 s left"."""
    progress = stage.progress
    if not progress.get("total"):
        return str(progress.get("note", ""))
    said = [f"{progress['done']:,} of {progress['total']:,} {progress['unit']}"]
    if stage.state == StageStates.RUNNING and progress.get("rate"):
        said.append(f"{progress['rate']:.3g}/s")
        if progress.get("seconds_left"):
            said.append(f"{duration(progress['seconds_left'])} left")
    if progress.get("note"):
        said.append(str(progress["note"]))
    return ", ".join(said)


def took(stage: Stage) -> str:
    if stage.started_at is None or stage.finished_at is None:
        return ""
    return duration((stage.finished_at - stage.started_at).total_seconds())


def duration(seconds: float) -> str:
    """ "38 s", "4 min 10 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def ending(run: Run) -> str:
    """How an ended run ended, and what a person may do now."""
    if run.state == RunStates.REVIEW:
        candidate = getattr(run, "candidate", None)
        address = f"{url()}/candidates/{candidate.pk}/" if candidate else f"{url()}/candidates/"
        return f"{candidate or run} awaits review: {address}"
    if run.state == RunStates.FAILED:
        return f"{run} failed. {run.error}\nThen go on with: python manage.py resume {run.pk}"
    if run.state == RunStates.CANCELLED:
        return f"{run} was cancelled. Go on with: python manage.py resume {run.pk}"
    gate = Evaluation.objects.filter(run=run, kind=EvaluationKinds.GATE).first()
    said = f" Gate: {gate.answer}. {gate.reason}" if gate else ""
    return f"{run} is done.{said}"


def url() -> str:
    return f"http://{settings.PAWL_BIND}:{settings.PAWL_PORT}"
