"""The junk battery: what no verifier may let pass, tried on every version before it is trusted.

Each row is one output. Junk that passes, and a task's own gold that does not, are defects
(`ok` is false). An error on junk is no defect: nothing is harvested from it; the row says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from improvement.records import Answer, Judgement, TaskRecord
from improvement.verifiers.alike import Golds
from improvement.verifiers.base import Verifier, shown, trajectory_of
from improvement.verifiers.rubbish import Junk, for_everything, for_task

OWN_GOLD = "own gold"


@dataclass(frozen=True, slots=True)
class JunkRow:
    """One try. `output` is cut for showing; `ok` is false for a defect."""

    kind: str
    task: str
    output: str
    expected: Literal["pass", "not pass"]
    answer: Answer
    reason: str
    ok: bool


def battery(verifier: Verifier, tasks: Sequence[TaskRecord]) -> list[JunkRow]:
    """Every junk on every task, and each task's own gold where the verifier knows it.

    Of a verifier that is not deterministic (each answer costs calls to a model) the junk that has
    nothing to do with a task is tried on the first task alone.
    """
    golds = Golds(verifier, tasks)
    return [row for at, task in enumerate(tasks) for row in _rows(verifier, task, golds, at == 0)]


def _rows(verifier: Verifier, task: TaskRecord, golds: Golds, first: bool) -> Iterator[JunkRow]:
    gold = golds.of(task)
    if gold is not None:
        yield _own_gold(verifier, task, gold)
    if first or verifier.deterministic:
        yield from (_junk(verifier, task, one) for one in _wrong(for_everything(), task, golds))
    yield from (_junk(verifier, task, one) for one in _wrong(for_task(task, golds), task, golds))


def _wrong(junk: Iterator[Junk], task: TaskRecord, golds: Golds) -> Iterator[Junk]:
    """Junk that happens to be a right answer to this task ("true", say) is none."""
    return (one for one in junk if not golds.is_right(task, one.output))


def _own_gold(verifier: Verifier, task: TaskRecord, gold: str) -> JunkRow:
    judged, _ = _ask(verifier, task, gold)
    reason = str(judged.evidence.get("reason", ""))
    ok = judged.answer == "pass"
    return JunkRow(OWN_GOLD, task.key, shown(gold), "pass", judged.answer, reason, ok)


def _junk(verifier: Verifier, task: TaskRecord, junk: Junk) -> JunkRow:
    judged, raised = _ask(verifier, task, junk.output)
    reason = str(judged.evidence.get("reason", ""))
    note = " (an error is no pass)" if judged.answer == "error" and not raised else ""
    ok = judged.answer != "pass" and not raised
    output = shown(junk.output)
    return JunkRow(junk.kind, task.key, output, "not pass", judged.answer, reason + note, ok)


def _ask(verifier: Verifier, task: TaskRecord, output: str) -> tuple[Judgement, bool]:
    """The judgement, and whether the verifier raised instead: that is a defect of its own."""
    try:
        return verifier.judge(task, trajectory_of(task, output)), False
    except Exception as error:
        why = f"the verifier raised {type(error).__name__}: {str(error)[:300]}"
        return Judgement("error", None, {"reason": why}), True
