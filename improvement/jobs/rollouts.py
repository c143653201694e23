"""Attempts made and saved, a batch a transaction: a killed worker loses one batch."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db.models import QuerySet

from improvement.agent.harness import Attempt, attempt_all, seed_for
from improvement.jobs.context import StageContext, StageFailed
from improvement.jobs.judging import Judge, Spec, judge_of
from improvement.jobs.packing import record_of, rows_of
from improvement.jobs.recipe import Recipe
from improvement.jobs.tasks import records_of
from improvement.jobs.tools import environment_of, policy_of
from improvement.models import (
    Candidate,
    Purposes,
    Run,
    Step,
    Task,
    Tokens,
    Trajectory,
    Verdict,
)
from improvement.records import Progress, Sampling, TrajectoryRecord


@dataclass(frozen=True, slots=True)
class Rollout:
    """Which attempts to make. `verifier` empty: they stay unverified until the verify stage.

    `reuse`: attempts that an earlier run made with the same sampling and that this verifier
    version judged count too, as a fixed set of tasks asks the same of everybody.
    """

    candidate: Candidate
    tasks: Sequence[Task]
    purpose: str
    samples: int = 1
    temperature: float = 0.0
    verifier: Spec = ""
    label: str = ""
    reuse: bool = False

    @property
    def sampling(self) -> Sampling:
        return replace(self.candidate.as_bundle().decoding, temperature=self.temperature)

    @property
    def total(self) -> int:
        return len(self.tasks) * self.samples


def roll_out(context: StageContext, rollout: Rollout, recipe: Recipe) -> None:
    """Make what is missing of `rollout` and save it. Safe to run again at any moment."""
    missing = _missing(context, rollout)
    clock = _Clock(rollout, rollout.total - len(missing))
    context.progress(clock.progress())
    if missing:
        _attempt(context, rollout, recipe, missing, clock)


def _attempt(
    context: StageContext,
    rollout: Rollout,
    recipe: Recipe,
    missing: Sequence[Attempt],
    clock: _Clock,
) -> None:
    sampling = rollout.sampling
    turns = attempt_all(
        missing,
        environment_of(context.run.agent),
        policy_of(rollout.candidate),
        rollout.candidate.as_bundle(),
        sampling,
        width=recipe.width,
        check=context.check,
    )
    judge = judge_of(context.run, rollout.verifier) if rollout.verifier else None
    batch: list[TrajectoryRecord] = []
    for finished in turns:
        batch += finished
        clock.count(len(finished))
        context.progress(clock.progress())
        if len(batch) >= recipe.save_every:
            save(context, rollout, sampling, batch, judge)
            batch = []
    save(context, rollout, sampling, batch, judge)


def stored(run: Run, rollout: Rollout) -> dict[tuple[int, int], Trajectory]:
    """(task id, sample) → the attempt that there is, the latest where there are several."""
    rows = Trajectory.objects.filter(
        purpose=rollout.purpose,
        candidate=rollout.candidate,
        task__in=rollout.tasks,
        sample__lt=rollout.samples,
    )
    if rollout.reuse:
        same = json.loads(json.dumps(asdict(rollout.sampling)))
        rows = rows.filter(sampling=same, pk__in=_judged(run, rollout))
    else:
        rows = rows.filter(run=run)
    return {(row.task_id, row.sample): row for row in rows.order_by("pk")}


def _judged(run: Run, rollout: Rollout) -> QuerySet[Any]:
    """The attempts that the verifier judged in the version that runs here."""
    judge = Judge(run.agent, rollout.verifier)
    versions = {judge.verifier_for(r)[1].pk for r in records_of(rollout.tasks).values()}
    return Verdict.objects.filter(verifier__in=versions).values("trajectory")


def _missing(context: StageContext, rollout: Rollout) -> list[Attempt]:
    there, records = stored(context.run, rollout), records_of(rollout.tasks)
    return [
        Attempt(record, sample, seed_for(context.run.seed, record.key, sample))
        for task in rollout.tasks
        for record in [records[task.pk]]
        for sample in range(rollout.samples)
        if (task.pk, sample) not in there
    ]


class _Clock:
    """Counts attempts and their rate since this worker began."""

    def __init__(self, rollout: Rollout, done: int) -> None:
        self._rollout, self._done, self._new = rollout, done, 0
        self._began = time.monotonic()

    def count(self, finished: int) -> None:
        self._new += finished

    def progress(self) -> Progress:
        rate = self._new / max(time.monotonic() - self._began, 1e-6)
        label = self._rollout.label or f"{self._rollout.candidate}"
        done = self._done + self._new
        return Progress(done, self._rollout.total, "attempts", rate, note=label)


def save(
    context: StageContext,
    rollout: Rollout,
    sampling: Sampling,
    records: Sequence[TrajectoryRecord],
    judge: Judge | None,
) -> None:
    """Save the records, with their verdicts where there is a judge."""
    if not records:
        return
    _refuse_broken_environment(rollout, records)
    by_key = {task.key: task for task in rollout.tasks}
    made = [
        rows_of(
            record,
            agent=context.run.agent,
            run=context.run,
            task=by_key[record.task_key],
            candidate=rollout.candidate,
            purpose=rollout.purpose,
            sampling=sampling,
        )
        for record in records
    ]
    verdicts = []
    if judge is not None:
        tasks = records_of([row.task for row, _, _ in made])
        items = [
            (row, tasks[row.task_id], record)
            for (row, _, _), record in zip(made, records, strict=True)
        ]
        verdicts = judge.verdicts(items, context.check)
    with context.writing():
        Trajectory.objects.bulk_create([row for row, _, _ in made])
        Step.objects.bulk_create([step for _, steps, _ in made for step in steps])
        Tokens.objects.bulk_create([tokens for _, _, tokens in made])
        Verdict.objects.bulk_create(verdicts)
        if judge is not None:
            judge.note_budget(context.run)


def _refuse_broken_environment(rollout: Rollout, records: Sequence[TrajectoryRecord]) -> None:
    broken = [r for r in records if r.outcome == "environment_error"]
    if len(broken) < len(records):
        return
    said = broken[0].error
    if rollout.purpose == Purposes.GATE:  # an exception's words may quote the sealed task
        said = said.partition(":")[0]
    raise StageFailed(
        f"The environment failed in all {len(records)} attempts of a batch: {said}. Mend it, then "
        "resume the run."
    )


def judge_stored(context: StageContext, trajectories: Iterable[Trajectory], judge: Judge) -> int:
    """Judge stored attempts (their tasks, steps and tokens read along) in one transaction."""
    rows = list(trajectories)
    records = records_of([row.task for row in rows])
    items = [(row, records[row.task_id], record_of(row)) for row in rows]
    verdicts = judge.verdicts(items, context.check)
    with context.writing():
        Verdict.objects.bulk_create(verdicts)
        judge.note_budget(context.run)
        Trajectory.objects.bulk_update(rows, ["answer"])
    return len(rows)
