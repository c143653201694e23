"""The steps that a run can take. Each is called in a transaction that has locked the run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Now

from improvement.jobs import doorbell
from improvement.models import AuditRow, Run, RunStates, Stage, StageStates

OPEN = (StageStates.PENDING, StageStates.READY, StageStates.RUNNING)


def make_ready(stage: Stage, *, wait: float = 0.0, silent: bool = False, **fields: Any) -> None:
    """Let a worker claim the stage, after `wait` seconds at the earliest. Nobody has it then, but
    a `silent` worker that still lives may take it back."""
    Stage.objects.filter(pk=stage.pk).update(
        state=StageStates.READY,
        lease_until=Now() + timedelta(seconds=wait) if wait else None,
        fence=F("fence") + (0 if silent else 1),
        **fields,
    )
    doorbell.add(stage)


def next_stage(run: Run) -> Stage | None:
    """The first stage that is not done."""
    unfinished = run.stages.filter(~Q(state=StageStates.DONE))
    return unfinished.order_by("position").first()


def give_up(run: Run, stage: Stage, error: str) -> None:
    """Put the stage aside with its error, and end the run with it."""
    Stage.objects.filter(pk=stage.pk).update(
        state=StageStates.QUARANTINED, error=error, lease_until=None, finished_at=Now()
    )
    end(run, RunStates.FAILED, error=f"{stage.name}: {error}")


def end_cancelled(run: Run) -> None:
    """What is done stays done; a worker that still computes has lost its fence."""
    run.stages.filter(state__in=OPEN).update(
        state=StageStates.CANCELLED, lease_until=None, finished_at=Now()
    )
    end(run, RunStates.CANCELLED)


def end(run: Run, state: str, error: str = "") -> None:
    before = run.state
    Run.objects.filter(pk=run.pk).update(state=state, error=error, finished_at=Now())
    run.refresh_from_db(fields=["state", "error", "finished_at"])
    AuditRow.record(
        "end run", run, reason=error[:2000], before={"state": before}, after={"state": state}
    )
