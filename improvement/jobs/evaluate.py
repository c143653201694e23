"""Candidate and champion on the same tasks: attempts, pairs, and the saved evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from improvement.evaluation.gate import GateRule, decide, pair_up
from improvement.evaluation.records import GateResult
from improvement.jobs.context import StageContext
from improvement.jobs.recipe import Recipe
from improvement.jobs.rollouts import Rollout, roll_out, stored
from improvement.models import (
    Block,
    Candidate,
    Evaluation,
    EvaluationItem,
    Purposes,
    Run,
    Task,
    Trajectory,
)
from improvement.records import digest_of

ANSWERS = {"pass": True, "fail": False}
Sides = tuple[Candidate, Candidate]
Attempts = tuple[Mapping[int, Trajectory], Mapping[int, Trajectory]]  # by task id


def sides_of(run_: Run) -> Sides:
    """(champion, candidate): the champion is the one that the candidate's data came from, so a
    promotion in between can't be compared with the wrong one unnoticed."""
    candidate = Candidate.objects.select_related("parent").get(run=run_)
    assert candidate.parent is not None
    return candidate.parent, candidate


def attempt_both(
    context: StageContext, sides: Sides, tasks: Sequence[Task], purpose: str, recipe: Recipe
) -> Attempts:
    """Greedy attempts of both sides at every task, judged by the gate's verifier. Dev tasks are
    the same in every cycle, so what the champion did there in an earlier one is used again."""
    rollouts = [
        Rollout(
            side,
            tasks,
            purpose,
            verifier=recipe.gate_verifier,
            label=f"{side}, {purpose}",
            reuse=purpose == Purposes.DEV,
        )
        for side in sides
    ]
    for rollout in rollouts:
        roll_out(context, rollout, recipe)
    champion, candidate = (
        {task: row for (task, _), row in stored(context.run, r).items()} for r in rollouts
    )
    return champion, candidate


def rule_of(recipe: Recipe) -> GateRule:
    return GateRule(evidence=recipe.gate_evidence, min_items=recipe.gate_min_items)


def compared(
    tasks: Sequence[Task], attempts: Attempts, rule: GateRule
) -> tuple[GateResult, list[dict[str, Any]]]:
    """The result over the whole block, and one row an item for both sides."""
    champion, candidate = attempts
    families = {t.key: t.family for t in tasks}
    pairs = pair_up(families, _verdicts(tasks, champion), _verdicts(tasks, candidate))
    found = decide(pairs, rule)
    items = [
        {
            "task": task,
            "champion_trajectory": champion.get(task.pk),
            "candidate_trajectory": candidate.get(task.pk),
            "champion_passed": _passed(champion.get(task.pk)),
            "candidate_passed": _passed(candidate.get(task.pk)),
        }
        for task in tasks
    ]
    return found, items


def save_evaluation(
    run_: Run,
    sides: Sides,
    kind: str,
    found: tuple[GateResult, list[dict[str, Any]]],
    rule: GateRule,
    block: Block | None = None,
) -> Evaluation:
    """Add the evaluation and its items; call it inside `context.writing()`."""
    result, items = found
    values = asdict(result)
    low, high = values.pop("interval")
    verdicts = [[i["task"].key, i["champion_passed"], i["candidate_passed"]] for i in items]
    evaluation = Evaluation.objects.create(
        agent=run_.agent,
        run=run_,
        kind=kind,
        champion=sides[0],
        candidate=sides[1],
        block=block,
        low=low,
        high=high,
        rule=asdict(rule),
        digest=digest_of([kind, verdicts, values, asdict(rule)]),
        **values,
    )
    EvaluationItem.objects.bulk_create(EvaluationItem(evaluation=evaluation, **i) for i in items)
    return evaluation


def _verdicts(tasks: Sequence[Task], rows: Mapping[int, Trajectory]) -> dict[str, bool | None]:
    return {task.key: _passed(rows.get(task.pk)) for task in tasks}


def _passed(row: Trajectory | None) -> bool | None:
    return ANSWERS.get(row.answer) if row else None
