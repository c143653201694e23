"""Stages and licences: the junk battery is run once on each verifier version, and a stage that
needs a licence and finds none stops with that reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from improvement.jobs.context import StageContext, StageFailed
from improvement.jobs.judging import OWN, Judge, Spec, judge_of, storable
from improvement.licences import NO_LICENCE, missing, note_licence
from improvement.models import Agent, JunkReport, Task, Verifier
from improvement.records import TaskRecord
from improvement.verifiers.base import Verifier as Judging
from improvement.verifiers.junk import OWN_GOLD, battery

BATTERY_TASKS = 8
BATTERY_TASKS_ASKED = 2  # of a judge, whose every answer costs several calls
MOST_SPECS = 200

Versions = dict[int, tuple[Judging, Verifier, Task]]
"""Row id → verifier, row, and one task that it judges."""


def verifiers_for(agent: Agent, spec: Spec) -> Versions:
    """Row id → verifier, row and one task of it: all versions that `spec` stands for here. For
    OWN these are those of the agent's tasks."""
    return _verifiers(Judge(agent, spec), agent, spec)


def _verifiers(judge: Judge, agent: Agent, spec: Spec) -> Versions:
    found: Versions = {}
    tasks = Task.objects.of(agent).exclude(split="heldout")
    rows = tasks.order_by("verifier", "pk").distinct("verifier") if spec == OWN else tasks[:1]
    for count, task in enumerate(rows[: MOST_SPECS + 1]):
        if count == MOST_SPECS:
            raise StageFailed(
                f"The tasks of agent {agent} name more than {MOST_SPECS} different verifiers, and "
                "each version needs its own licence. Put what differs from task to task (a schema, "
                "a list of cases) into the reference, not into the verifier's settings."
            )
        verifier, row = judge.verifier_for(task.as_record())
        found.setdefault(row.pk, (verifier, row, task))
    return found


def run_batteries(context: StageContext, spec: Spec) -> None:
    """Try junk on each verifier version that has not been tried for this agent."""
    run, agent = context.run, context.run.agent
    judge = judge_of(run, spec)
    for verifier, row, task in _verifiers(judge, agent, spec).values():
        if JunkReport.objects.filter(agent=agent, verifier=row).exists():
            continue
        context.check()
        rows = [asdict(r) for r in battery(verifier, _tasks_like(agent, spec, task, verifier))]
        _refuse_unable(row, rows)
        with context.writing():
            JunkReport.objects.create(
                agent=agent,
                verifier=row,
                passed=all(r["ok"] for r in rows),
                rows=storable(rows),
            )
            judge.note_budget(run)
            note_licence(agent, row)


def _refuse_unable(verifier: Verifier, rows: Sequence[Mapping[str, Any]]) -> None:
    """A verifier that can't judge a task's own gold (a wall or a judge is missing) has not shown
    that it is wrong: nothing is written down, so that it is tried again."""
    errors = [row for row in rows if row["answer"] == "error"]
    unable = errors if len(errors) == len(rows) else [r for r in errors if r["kind"] == OWN_GOLD]
    if unable:
        raise StageFailed(
            f"The verifier {verifier} can't work here, so no junk could be tried on it: "
            f"{unable[0]['reason']} Mend that (manage.py doctor), then resume the run."
        )


def _tasks_like(agent: Agent, spec: Spec, task: Task, verifier: Judging) -> Sequence[TaskRecord]:
    """Tasks that the same verifier judges: visible ones alone, never a held-out one."""
    rows = Task.objects.of(agent).exclude(split="heldout")
    if spec == OWN:
        rows = rows.filter(verifier=task.verifier)
    count = BATTERY_TASKS if verifier.deterministic else BATTERY_TASKS_ASKED
    return [row.as_record() for row in rows.order_by("pk")[:count]]


def require_licences(agent: Agent, spec: Spec, purpose: str) -> None:
    """StageFailed unless every verifier that `spec` stands for is licensed for this agent."""
    require(agent, [row for _, row, _ in verifiers_for(agent, spec).values()], purpose)


def require(agent: Agent, verifiers: Iterable[Verifier], purpose: str) -> None:
    lacking = missing(agent, verifiers)
    if not lacking:
        return
    said = " ".join(f"{verifier}: {licence.reason}" for verifier, licence in lacking[:5])
    raise StageFailed(
        f"{NO_LICENCE} to {purpose} for agent {agent}. {said} Label attempts on the page Labels, "
        "or mend the verifier, then resume the run."
    )
