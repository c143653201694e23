"""Who may work on a stage, and until when. All times are the database's.

A claim is one conditional UPDATE that raises `fence`; whoever has the highest fence has the stage.
A lease that ran out makes the stage ready again but leaves the fence: a worker that was merely
slow takes it back with its next heartbeat, unless another has claimed it meanwhile.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from improvement.jobs.doorbell import DUE
from improvement.models import Run, RunStates, Stage, StageStates

ACTIVE = (RunStates.QUEUED, RunStates.RUNNING)


def lease_end() -> Now:
    return Now() + timedelta(seconds=settings.PAWL_LEASE)  # type: ignore[return-value]


def locked(run_id: int) -> Run:
    """The run, locked until the end of the transaction. Whatever changes a run's course locks the
    run first and its stages after it."""
    return Run.objects.select_for_update(no_key=True, of=("self",)).get(pk=run_id)


def held(stage: Stage) -> QuerySet[Stage]:
    """The stage's row, as long as its fence is still that of `stage`."""
    working = (StageStates.RUNNING, StageStates.READY)
    return Stage.objects.filter(pk=stage.pk, fence=stage.fence, state__in=working).order_by()


def claim(stage_id: int, worker: str) -> Stage | None:
    """The stage, now this worker's alone; None when there is nothing to claim."""
    row = Stage.objects.filter(pk=stage_id).values("run_id").first()
    if row is None:
        return None
    with transaction.atomic():
        run = locked(row["run_id"])
        if run.cancel_requested or run.state not in ACTIVE:
            return None
        free = Q(DUE, state=StageStates.READY)
        free |= Q(state=StageStates.RUNNING, lease_until__lt=Now())
        claimed = Stage.objects.filter(free, pk=stage_id, attempt__lt=F("max_attempts")).update(
            state=StageStates.RUNNING,
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            lease_until=lease_end(),
            worker=worker[:120],
            started_at=Coalesce("started_at", Now()),
            finished_at=None,
        )
        if not claimed:
            return None
        Run.objects.filter(pk=run.pk, state=RunStates.QUEUED).update(state=RunStates.RUNNING)
        return Stage.objects.select_related("run__agent").get(pk=stage_id)


def extend(stage: Stage, **fields: Any) -> bool:
    """Keep the stage for another lease, writing `fields` too; False when it is another's now."""
    changed = held(stage).update(state=StageStates.RUNNING, lease_until=lease_end(), **fields)
    return changed == 1
