"""Screen: the dev set and the collapse signals, before a sealed block is spent."""

from __future__ import annotations

from typing import Any

from improvement.collapse.limits import Limits
from improvement.collapse.thresholds import breaches
from improvement.jobs.context import StageContext, StageFailed
from improvement.jobs.evaluate import attempt_both, compared, rule_of, save_evaluation, sides_of
from improvement.jobs.probes import mix_of, probe, save_signals, warn
from improvement.jobs.recipe import Recipe
from improvement.jobs.stages.curate import opened
from improvement.jobs.tasks import draw_tasks
from improvement.jobs.tools import environment_of
from improvement.models import CandidateStates, Evaluation, EvaluationKinds, Purposes, Task


def run(context: StageContext) -> dict[str, Any]:
    """Score both sides on the dev set, measure the signals, and warn where a limit is broken."""
    run_, recipe = context.run, Recipe.of(context.run.recipe)
    sides = sides_of(run_)
    dev = fixed_tasks(context, recipe.dev_tasks, "dev")
    attempts = attempt_both(context, sides, dev, Purposes.DEV, recipe)
    _measure(context, recipe)
    rule = rule_of(recipe)
    with context.writing():
        if not Evaluation.objects.filter(run=run_, kind=EvaluationKinds.SCREEN).exists():
            found = compared(dev, attempts, rule)
            save_evaluation(run_, sides, EvaluationKinds.SCREEN, found, rule)
        candidate = sides[1]
        if candidate.state == CandidateStates.TRAINED:
            candidate.state = CandidateStates.SCREENED
            candidate.save(update_fields=["state"])
    screen = Evaluation.objects.get(run=run_, kind=EvaluationKinds.SCREEN)
    return {
        "champion_score": screen.champion_score,
        "candidate_score": screen.candidate_score,
        "n": screen.n,
        "warnings": sides[1].warnings.count(),
    }


def fixed_tasks(context: StageContext, count: int, seed: str) -> list[Task]:
    """`count` dev tasks of each open level: the same in every cycle of an agent."""
    agent = context.run.agent
    environment = environment_of(agent)
    return [
        task
        for level in opened(context.run)
        for task in draw_tasks(
            agent, environment, level=level, split="dev", count=count, seed=seed
        )
    ]


def _measure(context: StageContext, recipe: Recipe) -> None:
    champion, candidate = sides_of(context.run)
    zero = context.run.agent.generation_zero
    if zero is None:
        raise StageFailed(f"Agent {context.run.agent} has no generation 0 to compare with.")
    tasks = fixed_tasks(context, recipe.probe_tasks, "probe")
    limits = Limits(k=recipe.probe_samples)
    if len(tasks) < limits.min_tasks:
        raise StageFailed(
            f"The collapse signals need at least {limits.min_tasks} dev tasks, and agent "
            f"{context.run.agent} has {len(tasks)} on its open levels (probe_tasks: "
            f"{recipe.probe_tasks}). Bring more dev tasks, or raise probe_tasks, then resume."
        )
    tables = {
        side.pk: probe(context, side, tasks, recipe) for side in (zero, champion, candidate)
    }
    assert candidate.dataset is not None
    mix = mix_of(candidate.dataset)
    found = breaches(
        tables[candidate.pk], tables[zero.pk], tables[champion.pk], limits, training_mix=mix
    )
    with context.writing():
        save_signals(zero, tables[zero.pk], None)
        save_signals(champion, tables[champion.pk], None)
        save_signals(candidate, tables[candidate.pk], mix)
        warn(candidate, found)
