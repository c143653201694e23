"""Verify: the harvest verifier judges every collected attempt, a batch a transaction.

Verifier versions that are new to this agent are tried with junk first. A changed version judges
the attempts of earlier cycles again, so that nothing is learned from what only an older one said.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from improvement.jobs.context import StageContext
from improvement.jobs.judging import Judge, judge_of
from improvement.jobs.licensing import run_batteries, verifiers_for
from improvement.jobs.recipe import Recipe
from improvement.jobs.rollouts import judge_stored
from improvement.models import Answers, Purposes, Trajectory, Verdict
from improvement.records import Progress

BATCH = 50


def run(context: StageContext) -> dict[str, Any]:
    """Judge what is unverified; an attempt is never judged twice by one verifier version."""
    recipe = Recipe.of(context.run.recipe)
    for spec in _distinct(recipe.harvest_verifier, recipe.gate_verifier):
        run_batteries(context, spec)
    judge = judge_of(context.run, recipe.harvest_verifier)
    collected = Trajectory.objects.filter(run=context.run, purpose=Purposes.COLLECT)
    _judge_all(context, judge, collected.filter(answer=Answers.UNVERIFIED), "verdicts")
    again = _judged_by_another_version(context, recipe)
    _judge_all(context, judge, again, "verdicts on earlier attempts")
    answers = Counter(collected.values_list("answer", flat=True))
    return {
        "attempts": collected.count(),
        **{name: answers[name] for name in ("pass", "fail", "error")},
    }


def _distinct(*specs: Any) -> list[Any]:
    return [spec for i, spec in enumerate(specs) if spec not in specs[:i]]


def _judge_all(
    context: StageContext, judge: Judge, waiting: QuerySet[Trajectory], unit: str
) -> None:
    total, done, last, began = waiting.count(), 0, 0, time.monotonic()
    rows = waiting.select_related("task", "tokens").prefetch_related("steps").order_by("pk")
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        context.check()
        done += judge_stored(context, batch, judge)
        last = batch[-1].pk
        rate = done / max(time.monotonic() - began, 1e-6)
        context.progress(Progress(done, total, unit, rate))


def _judged_by_another_version(context: StageContext, recipe: Recipe) -> QuerySet[Trajectory]:
    """Collected attempts of this agent that no present version of the harvest verifier judged."""
    agent = context.run.agent
    earlier = Trajectory.objects.filter(agent=agent, purpose=Purposes.COLLECT)
    earlier = earlier.exclude(answer=Answers.UNVERIFIED).exclude(run=context.run)
    present = verifiers_for(agent, recipe.harvest_verifier)
    judged = Verdict.objects.filter(trajectory=OuterRef("pk"), verifier__in=list(present))
    return earlier.exclude(Exists(judged))

