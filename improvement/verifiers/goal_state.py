"""The goal-state verifier: what the world holds at the end against what it should hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers.base import (
    SpecError,
    Verifier,
    Workshop,
    broken,
    deciding_step,
    failed,
    passed,
    shown,
    timed,
    unusable,
)


@dataclass(frozen=True, slots=True)
class GoalState:
    """Pass when the goal state equals `reference["answer"]` (as numbers where both are)."""

    kind: str = "goal_state"
    version: str = "2"
    settings: Mapping[str, Any] = field(default_factory=dict)
    deterministic: bool = True
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: _judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        answer = task.reference.get("answer")
        return answer if isinstance(answer, str) else None


def make(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:  # noqa: ARG001
    if settings:
        raise SpecError(f"verifier goal_state has no setting {next(iter(settings))!r}; it has none")
    return GoalState()


def _judge(task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
    expected = task.reference.get("answer")
    found, step = shown(trajectory.final_answer) or None, deciding_step(trajectory)
    evidence = {"expected": expected, "found": found, "step": step}
    if not isinstance(expected, str) or not expected:
        return broken(evidence, f"task {task.key} has no reference answer to compare with")
    if bad := unusable(task, trajectory):
        return Judgement(bad.answer, bad.score, {**bad.evidence, "expected": expected})
    if _equal(expected, trajectory.final_answer):
        return passed(evidence, "the answer is right")
    return failed(evidence, "the answer is wrong")


def _equal(expected: str, found: str) -> bool:
    if expected == found:
        return True
    try:
        return Decimal(expected) == Decimal(found)
    except InvalidOperation:
        return False
