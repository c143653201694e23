"""What becomes of a stage when its function has ended. Every change holds only while the fence
of the worker that reports it is still the stage's; FenceLost says that it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from improvement.jobs import course, launch, leases
from improvement.jobs.context import FenceLost
from improvement.models import Run, RunStates, Stage, StageStates
from improvement.records import digest_of

ENDINGS = (RunStates.REVIEW, RunStates.DONE)


@contextmanager
def _reporting(stage: Stage) -> Iterator[Run]:
    """A transaction with the run and the stage locked, the stage being the caller's."""
    with transaction.atomic():
        run = leases.locked(stage.run_id)
        if leases.held(stage).select_for_update(no_key=True).first() is None:
            raise FenceLost(f"Another worker has claimed {stage}; this one reports nothing.")
        yield run


def complete(stage: Stage, result: Mapping[str, Any]) -> None:
    """The stage is done: the next one is ready, or the run ends as its last result says."""
    digest = digest_of(result)
    with _reporting(stage) as run:
        Stage.objects.filter(pk=stage.pk).update(
            state=StageStates.DONE,
            result=dict(result),
            output_digest=digest,
            error="",
            lease_until=None,
            finished_at=Now(),
        )
        if run.cancel_requested:
            course.end_cancelled(run)
        elif following := course.next_stage(run):
            course.make_ready(following, input_digest=digest)
        else:
            end_well(run, result)


def end_well(run: Run, result: Mapping[str, Any]) -> None:
    """All stages are done. Without a candidate to decide on, the next cycle starts at once."""
    asked = result.get("run_state", RunStates.DONE)
    course.end(run, asked if asked in ENDINGS else RunStates.DONE)
    if run.state == RunStates.DONE:
        launch.launch_next(run)


def failed(stage: Stage, message: str) -> None:
    """Trying again can't help: the run fails with this message."""
    with _reporting(stage) as run:
        course.give_up(run, stage, message)


def retry(stage: Stage, error: str) -> None:
    """Try again a little later each time; after the last attempt put the stage aside."""
    with _reporting(stage) as run:
        if run.cancel_requested:
            course.end_cancelled(run)
        elif stage.attempt < stage.max_attempts:
            course.make_ready(stage, wait=backoff(stage.attempt), error=error)
        else:
            course.give_up(run, stage, f"{error}\nGiven up after {stage.attempt} attempts.")


def backoff(attempt: int) -> float:
    """Seconds to wait after a failed attempt: 2, 8, 32, 60, 60."""
    return float(min(2 * 4 ** max(attempt - 1, 0), 60))


def hand_back(stage: Stage) -> None:
    """The worker stops in good order: another goes on at once, and no attempt is counted."""
    with _reporting(stage) as run:
        if run.cancel_requested:
            course.end_cancelled(run)
        else:
            course.make_ready(stage, attempt=F("attempt") - 1)


def cancelled(stage: Stage) -> None:
    with _reporting(stage) as run:
        course.end_cancelled(run)
