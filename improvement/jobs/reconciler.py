"""Puts right what a crash left behind: in the database what nobody works on, in Redis what is
missing there. Safe to run at any time, often, and several at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connections, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from improvement.jobs import course, doorbell, launch, leases, outcomes
from improvement.models import Hold, Run, RunStates, Stage, StageStates

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mended:
    """How many of each were found and put right."""

    expired: int = 0
    cancelled: int = 0
    idle: int = 0
    rung: int = 0
    rung_again: int = 0
    onward: int = 0

    def __bool__(self) -> bool:
        counts = (self.expired, self.cancelled, self.idle, self.rung, self.rung_again)
        return any((*counts, self.onward))


def reconcile() -> Mended:
    """One pass."""
    return Mended(
        expired=sum(_expire(stage) for stage in _silent()),
        cancelled=sum(_cancel(run) for run in _to_cancel()),
        idle=sum(_start_again(run) for run in _idle()),
        onward=sum(launch.launch_next(run) is not None for run in _unfollowed()),
        rung=doorbell.ring(),
        rung_again=doorbell.ring_again(),
    )


def release(worker: str, *, count_attempt: bool = True) -> None:
    """Let others go on at once with what a worker had whose process just died. Called by the
    worker's parent process: a failure here only means that the lease runs out."""
    held = Stage.objects.filter(worker=worker[:120], state=StageStates.RUNNING)
    try:
        held.update(lease_until=Now(), attempt=F("attempt") - (0 if count_attempt else 1))
        for stage in _silent().filter(worker=worker[:120]):
            _expire(stage)
    except Error as error:
        log.warning("The stage of %s waits for its lease to run out: %s", worker, error)
    finally:
        connections.close_all()  # the next fork must not inherit it


def _silent() -> QuerySet[Stage]:
    return Stage.objects.filter(state=StageStates.RUNNING, lease_until__lte=Now())


def _expire(stage: Stage) -> bool:
    """Its worker is silent: ready for another, or put aside after the last attempt."""
    with transaction.atomic():
        run = leases.locked(stage.run_id)
        row = _silent().filter(pk=stage.pk).select_for_update(no_key=True, skip_locked=True)
        silent = row.order_by().first()
        if silent is None:
            return False
        log.warning("stage %s: worker %s is silent", silent.pk, silent.worker)
        if run.cancel_requested:
            course.end_cancelled(run)
        elif silent.attempt < silent.max_attempts:
            course.make_ready(silent, silent=True)
        else:
            course.give_up(run, silent, _died(silent))
    return True


def _died(stage: Stage) -> str:
    return (
        f"The worker died in each of {stage.attempt} attempts without an error of its own (last "
        f"worker: {stage.worker}). Often the machine ran out of memory: look at the worker's log "
        "and at the kernel's, then resume the run."
    )


def _to_cancel() -> QuerySet[Run]:
    at_work = Stage.objects.filter(run=OuterRef("pk"), state=StageStates.RUNNING)
    asked = Run.objects.filter(state__in=leases.ACTIVE, cancel_requested=True)
    return asked.filter(~Exists(at_work))


def _cancel(run: Run) -> bool:
    with transaction.atomic():
        row = leases.locked(run.pk)
        if not _to_cancel().filter(pk=row.pk).exists():
            return False
        course.end_cancelled(row)
    return True


def _idle() -> QuerySet[Run]:
    under_way = (StageStates.READY, StageStates.RUNNING)
    stages = Stage.objects.filter(run=OuterRef("pk"), state__in=under_way)
    return Run.objects.filter(~Exists(stages), state__in=leases.ACTIVE, cancel_requested=False)


def _start_again(run: Run) -> bool:
    """A run that claims to be active and has nothing to do (it was changed by hand)."""
    with transaction.atomic():
        row = leases.locked(run.pk)
        if not _idle().filter(pk=row.pk).exists():
            return False
        stage = course.next_stage(row)
        if stage is None:
            last = row.stages.order_by("position").last()
            outcomes.end_well(row, last.result if last else {})
        elif stage.state == StageStates.PENDING:
            course.make_ready(stage)
        else:
            course.end(row, RunStates.FAILED, f"{stage.name}: {stage.error or stage.state}")
    return True


def _unfollowed() -> QuerySet[Run]:
    """Decided runs whose next cycle was asked for and never started: whoever decided died then."""
    later = Run.objects.filter(agent=OuterRef("agent"), cycle__gt=OuterRef("cycle"))
    held = Hold.objects.filter(agent=OuterRef("agent"), released_at=None)
    done = Run.objects.filter(state=RunStates.DONE, cycles_left__gt=0, cancel_requested=False)
    return done.filter(~Exists(later), ~Exists(held)).select_related("agent")


def pause() -> float:
    """Seconds between two passes: a quarter of the lease."""
    return settings.PAWL_LEASE / 4
