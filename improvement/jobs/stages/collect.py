"""Collect: the champion attempts training tasks, several samples each."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from improvement.jobs.context import StageContext, StageFailed
from improvement.jobs.recipe import Recipe
from improvement.jobs.rollouts import Rollout, roll_out
from improvement.jobs.tasks import draw_tasks, families_of
from improvement.jobs.tools import environment_of
from improvement.models import Agent, Candidate, Evaluation, Purposes, Trajectory


def run(context: StageContext) -> dict[str, Any]:
    """Attempt `collect_tasks` tasks, shared out over the levels that the curriculum has opened."""
    agent, recipe = context.run.agent, Recipe.of(context.run.recipe)
    champion = agent.champion
    if champion is None:
        raise StageFailed(f"Agent {agent} has no champion to collect with. Run `manage.py demo`.")
    environment = environment_of(agent)
    levels = open_levels(agent, champion, families_of(agent, environment), recipe)
    tasks = [
        task
        for level, count in zip(levels, _shares(recipe.collect_tasks, len(levels)), strict=True)
        for task in draw_tasks(
            agent,
            environment,
            level=level,
            split="train",
            count=count,
            seed=f"collect:{context.run.seed}",
        )
    ]
    rollout = Rollout(
        champion,
        tasks,
        Purposes.COLLECT,
        samples=recipe.collect_samples,
        temperature=recipe.collect_temperature,
    )
    roll_out(context, rollout, recipe)
    made = Trajectory.objects.filter(run=context.run, purpose=Purposes.COLLECT)
    return {"levels": levels, "champion": champion.pk, "attempts": made.count()}


def open_levels(
    agent: Agent, champion: Candidate, families: Mapping[int, Set[str]], recipe: Recipe
) -> list[int]:
    """Level 1, and each next one while the champion's last score before it is high enough."""
    scores = champion_scores(agent, champion)
    levels = [min(families)]
    for level in sorted(families)[1:]:
        seen = [scores[family] for family in families[levels[-1]] if family in scores]
        before = sum(seen) / len(seen) if seen else 0.0
        if level > recipe.max_level or before <= recipe.curriculum_threshold:
            break
        levels.append(level)
    return levels


def champion_scores(agent: Agent, champion: Candidate) -> dict[str, float]:
    """Family → the champion's latest score, as candidate or as champion of an evaluation."""
    scores: dict[str, float] = {}
    for evaluation in Evaluation.objects.filter(agent=agent).order_by("id"):
        for side in ("candidate", "champion"):
            if getattr(evaluation, f"{side}_id") == champion.pk:
                rows = evaluation.families
                scores |= {f["family"]: f[f"{side}_score"] for f in rows if f["n"]}
    return scores


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (i < total % parts) for i in range(parts)]
