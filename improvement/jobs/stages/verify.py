"""Verify: the harvest verifier judges every collected attempt, a batch a transaction."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from improvement.jobs.context import StageContext
from improvement.jobs.recipe import Recipe
from improvement.jobs.rollouts import Judge, judge_stored
from improvement.models import Answers, Purposes, Trajectory
from improvement.records import Progress

BATCH = 50


def run(context: StageContext) -> dict[str, Any]:
    """Judge what is unverified; an attempt is never judged twice by one verifier version."""
    judge = Judge(Recipe.of(context.run.recipe).harvest_verifier)
    collected = Trajectory.objects.filter(run=context.run, purpose=Purposes.COLLECT)
    total, began = collected.count(), time.monotonic()
    waiting = collected.filter(answer=Answers.UNVERIFIED).select_related("task", "tokens")
    first = done = total - waiting.count()
    while batch := list(waiting.prefetch_related("steps").order_by("pk")[:BATCH]):
        context.check()
        done += judge_stored(context, batch, judge)
        rate = (done - first) / max(time.monotonic() - began, 1e-6)
        context.progress(Progress(done, total, "verdicts", rate))
    answers = Counter(collected.values_list("answer", flat=True))
    return {"attempts": total, **{name: answers[name] for name in ("pass", "fail", "error")}}
