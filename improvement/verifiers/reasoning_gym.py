"""The verifier of generated reasoning-gym tasks: the family's own scorer, behind the wall.

The scorer runs in the sandbox kit "reasoning_gym", one fresh process an answer, and passes at full
marks alone (partial credit rewards junk in some families). The scorer needs the reference, so both
are in that process: an answer that could run code there could forge its own marks. So text gets
to the scorers that evaluate it only where it is plain (see `families`), and the families whose
scorers can be fooled are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.sandbox.inside import tagged
from improvement.sandbox.records import Call, Limits, Outcome, SandboxRefused
from improvement.verifiers.base import (
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
from improvement.verifiers.families import REFUSED, unfit
from improvement.verifiers.settings import only

LIMITS = Limits(seconds=20.0, call_seconds=10.0, memory=2 << 30)
PROGRAM = r"""
from reasoning_gym.factory import CURRICULA, DATASETS

def configured(family, level):
    if family not in CURRICULA:
        return DATASETS[family][1]()
    curriculum = CURRICULA[family]()
    curriculum.set_global_level(level - 1)
    return curriculum.generate_configuration({"seed": 0, "size": 1})

def score(family, level, entry, answer):
    kind, config = DATASETS[family][0], configured(family, level)
    try:
        dataset = kind(config)
    except OSError:  # it reads files to make tasks; its scorer needs none of them
        dataset = object.__new__(kind)
        dataset.config = config
    return float(dataset.score_answer(answer, entry))
"""


@dataclass(frozen=True, slots=True)
class ReasoningGym:
    """Pass when the family's scorer gives 1.0."""

    settings: Mapping[str, Any]
    kind: str = "reasoning_gym"
    version: str = "1"
    deterministic: bool = True
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: _judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        answer = task.reference.get("answer")
        return answer if isinstance(answer, str) and answer else None


def _judge(task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
    found, gold = trajectory.final_answer, task.reference.get("answer")
    evidence = {"expected": shown(gold), "found": shown(found), "step": deciding_step(trajectory)}
    try:
        family, level, entry = _entry(task)
    except (KeyError, TypeError, ValueError) as error:
        return broken(evidence, f"the reference of task {task.key} can't be read: {error}")
    if family in REFUSED:
        return broken(evidence, f"family {family} is refused: {REFUSED[family]}")
    if bad := unusable(task, trajectory):
        return Judgement(bad.answer, bad.score, {**bad.evidence, "expected": shown(gold)})
    if why := unfit(family, found, gold if isinstance(gold, str) else None):
        return failed(evidence, why)
    came = _score(family, level, entry, found)
    if isinstance(came, str):
        return broken(evidence, came)
    score = _value(came)
    if score is None:
        return _at_fault(evidence, came, _score(family, level, entry, gold))
    whole = min(max(score, 0.0), 1.0) if score == score else 0.0
    if score >= 1.0:
        return passed(evidence, "the family's scorer gives full marks", whole)
    return failed(evidence, f"the family's scorer gives {whole:.2f} of 1", whole)


def _entry(task: TaskRecord) -> tuple[str, int, dict[str, Any]]:
    """What the scorer reads: the question is the prompt, the rest stands in the reference."""
    reference = task.reference
    family, level = str(reference["family"]), int(reference.get("level", 1))
    metadata = tagged.decode(reference["metadata"])
    return family, level, {
        "question": task.prompt, "answer": reference["answer"], "metadata": metadata,
    }  # fmt: skip


def _score(family: str, level: int, entry: dict[str, Any], answer: Any) -> Outcome | str:
    """What one run of the scorer came to, or why there was none."""
    from improvement.sandbox.pool import sandbox

    call = Call("score", (family, level, entry, answer))
    try:
        return sandbox("reasoning_gym").run(PROGRAM, [call], LIMITS)
    except SandboxRefused as why:
        return str(why)


def _value(came: Outcome) -> float | None:
    value = came.returned[0].value if came.returned else None
    return value if isinstance(value, float) else None


def _at_fault(evidence: dict[str, Any], came: Outcome, control: Outcome | str) -> Judgement:
    """The scorer did not end well. Where it does with the task's own answer, it was the attempt."""
    error = came.returned[0].error if came.returned else came.error
    said = error or came.error or came.ended
    if isinstance(control, str) or _value(control) is None:
        return broken(evidence, f"the family's scorer does not work: {said}")
    return failed(evidence, f"the family's scorer can't read the answer: {said}")


def make(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:  # noqa: ARG001
    only("reasoning_gym", settings, ())
    return ReasoningGym({})
