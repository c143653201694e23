"""The goal-state verifier: what the world holds at the end against what it should hold."""

from __future__ import annotations

import time
from decimal import Decimal, InvalidOperation

from improvement.records import Judgement, TaskRecord, TrajectoryRecord, digest_of

NAME = "goal_state"
VERSION = "1"


def digest() -> str:
    """Changes with the version of this verifier's code and with its settings (it has none)."""
    return digest_of({"name": NAME, "version": VERSION, "settings": {}})


def judge(task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
    """Pass when the goal state equals `reference["answer"]` (as numbers where both are).

    An environment that failed, or a task without a reference, is an error and has no score.
    """
    started = time.perf_counter()
    expected = task.reference.get("answer")
    step = _deciding_step(trajectory)
    evidence = {"expected": expected, "found": trajectory.final_answer or None, "step": step}
    if trajectory.outcome == "environment_error":
        return _judged("error", None, evidence | {"reason": trajectory.error}, started)
    if not isinstance(expected, str) or not expected:
        reason = f"task {task.key} has no reference answer to compare with"
        return _judged("error", None, evidence | {"reason": reason}, started)
    if trajectory.outcome != "answered":
        reason = "no answer was given before the turns ran out"
        return _judged("fail", 0.0, evidence | {"reason": reason}, started)
    if _equal(expected, trajectory.final_answer):
        return _judged("pass", 1.0, evidence | {"reason": "the answer is right"}, started)
    return _judged("fail", 0.0, evidence | {"reason": "the answer is wrong"}, started)


def _judged(answer: str, score: float | None, evidence: dict[str, object], at: float) -> Judgement:
    return Judgement(answer, score, evidence, (time.perf_counter() - at) * 1000)  # type: ignore[arg-type]


def _deciding_step(trajectory: TrajectoryRecord) -> int | None:
    """The index of the last step that the policy wrote."""
    return next((i for i, s in reversed(list(enumerate(trajectory.steps))) if s.sampled), None)


def _equal(expected: str, found: str) -> bool:
    if expected == found:
        return True
    try:
        return Decimal(expected) == Decimal(found)
    except InvalidOperation:
        return False
