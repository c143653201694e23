"""What people do to runs: launch, cancel, resume."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from improvement.jobs import course, leases
from improvement.jobs.plan import IMPROVE, stages_of
from improvement.jobs.recipe import Recipe, RecipeError
from improvement.models import Agent, AuditRow, Run, RunStates, Stage, StageStates
from improvement.records import digest_of

log = logging.getLogger(__name__)


class Refused(Exception):
    """It can't be done; the message says why and what helps."""


def launch(
    agent: Agent,
    *,
    actor: Any,
    cycles: int = 1,
    recipe: Mapping[str, Any] | None = None,
    seed: int | None = None,
    kind: str = IMPROVE,
) -> Run:
    """Queue a run; the cycles after the first start when the one before is decided or ended.

    `recipe` overrides the agent's. Without `seed` it follows from the agent's name and the cycle.
    """
    if cycles < 1:
        raise Refused(f"The number of cycles must be at least 1, not {cycles}.")
    plans = stages_of(kind)
    settled = _settled(agent, recipe or {}, kind)
    with transaction.atomic():
        agent = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        _refuse_hold(agent)
        _refuse_second(agent)
        cycle = (agent.runs.aggregate(last=Max("cycle"))["last"] or 0) + 1
        run = Run.objects.create(
            agent=agent,
            kind=kind,
            cycle=cycle,
            cycles_left=cycles - 1,
            seed=_seed(agent, cycle) if seed is None else seed,
            recipe=settled,
            launched_by=actor,
        )
        Stage.objects.bulk_create(
            Stage(
                run=run,
                name=plan.name,
                queue=plan.queue,
                position=position,
                max_attempts=plan.max_attempts,
            )
            for position, plan in enumerate(plans)
        )
        first = course.next_stage(run)
        assert first is not None
        course.make_ready(first, input_digest=digest_of([run.seed, settled]))
        AuditRow.record("launch", run, actor=actor, after={"cycles": cycles, "seed": str(run.seed)})
    return run


def launch_next(run: Run) -> Run | None:
    """The next of the cycles that were asked for, with the same recipe; None when none is left or
    it is refused (a hold, another run)."""
    try:
        with transaction.atomic():
            left = leases.locked(run.pk).cycles_left
            if left < 1:
                return None
            Run.objects.filter(pk=run.pk).update(cycles_left=0)
            return launch(
                run.agent,
                actor=run.launched_by,
                cycles=left,
                recipe=run.recipe,
                kind=run.kind,
            )
    except (Refused, ValueError) as refusal:  # a recipe or a kind that is no more is a ValueError
        log.warning("The next cycle after %s does not start: %s", run, refusal)
        return None


def cancel(run: Run, actor: Any) -> None:
    """Ask a run to stop. A stage at work stops at its next check; what is done is kept."""
    with transaction.atomic():
        row = leases.locked(run.pk)
        if not row.active:
            raise Refused(f"{row} is not running: it is {row.get_state_display()}.")
        if row.cancel_requested:
            raise Refused(f"{row} is being cancelled already.")
        Run.objects.filter(pk=row.pk).update(cancel_requested=True)
        AuditRow.record("cancel", row, actor=actor, before={"state": row.state})
        if not row.stages.filter(state=StageStates.RUNNING).exists():
            course.end_cancelled(row)
    run.refresh_from_db()


def resume(run: Run, actor: Any) -> None:
    """Go on from the first stage that is not done, with all its attempts."""
    with transaction.atomic():
        row = leases.locked(run.pk)
        agent = Agent.objects.select_for_update(no_key=True).get(pk=run.agent_id)
        if row.state not in (RunStates.FAILED, RunStates.CANCELLED):
            raise Refused(
                f"{row} is {row.get_state_display()}; only a failed or a cancelled run resumes."
            )
        _refuse_hold(agent)
        _refuse_second(agent)
        _refuse_overtaken(row)
        AuditRow.record("resume", row, actor=actor, before={"state": row.state})
        Run.objects.filter(pk=row.pk).update(
            state=RunStates.QUEUED, error="", cancel_requested=False, finished_at=None
        )
        row.stages.exclude(state=StageStates.DONE).update(
            state=StageStates.PENDING, attempt=0, error="", finished_at=None, lease_until=None
        )
        stage = course.next_stage(row)
        if stage is None:
            raise Refused(f"All stages of {row} are done. Launch a new run.")
        course.make_ready(stage)
    run.refresh_from_db()


def _refuse_hold(agent: Agent) -> None:
    if hold := agent.hold:
        raise Refused(
            f"Agent {agent} is on hold since {hold.placed_at:%-d %B %Y %H:%M}: {hold.reason} "
            "A manager or an admin can release the hold on the Warnings page."
        )


def _refuse_second(agent: Agent) -> None:
    active = agent.runs.filter(state__in=leases.ACTIVE).first()
    if active:
        raise Refused(
            f"{active} (run {active.pk}) is {active.get_state_display()}; an agent has one run at "
            f"a time. Wait for it, or stop it: manage.py cancel {active.pk}"
        )


def _refuse_overtaken(run: Run) -> None:
    """A run that collected with a former champion would spend a sealed block in vain."""
    collected = run.stages.filter(name="collect", state=StageStates.DONE).first()
    deployment = run.agent.deployment
    served = collected.result.get("champion") if collected else None
    if served and deployment and served != deployment.candidate_id:
        raise Refused(
            f"{deployment.candidate} serves {run.agent} now, and {run} was begun with another "
            "champion. Launch a new run."
        )


def _settled(agent: Agent, recipe: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The whole recipe, so that a later change of defaults changes no old run."""
    if kind != IMPROVE:
        return dict(recipe)
    try:
        return Recipe.of(agent.recipe, recipe).as_json()
    except RecipeError as error:
        raise Refused(f"The recipe of agent {agent} can't be used. {error}") from error


def _seed(agent: Agent, cycle: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{agent.name}:{cycle}".encode()).digest()[:7])
