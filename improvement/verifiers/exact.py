"""The exact verifier: the answer is one of the accepted strings, after normalisation.

It compares spellings, never meanings: "36.0" is not "36" here (the kind `number` says so).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers import text
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
from improvement.verifiers.settings import only


@dataclass(frozen=True, slots=True)
class Exact:
    """Pass when the answer equals `reference["answer"]`, a string or a list of accepted ones."""

    settings: Mapping[str, Any]
    kind: str = "exact"
    version: str = "1"
    deterministic: bool = True
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: self._judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        known = accepted(task)
        return text.wrapped(self.settings["extract"], known[0]) if known else None

    def _judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        known = accepted(task)
        expected = known[0] if len(known) == 1 else known
        evidence = {"expected": expected or None, "found": None, "step": deciding_step(trajectory)}
        wanted = {text.normalise(self.settings["normalise"], one) for one in known}
        if not wanted or "" in wanted:
            why = "its reference has no answer" if not known else "an accepted answer becomes empty"
            return broken(evidence, f"task {task.key} can't be judged: {why}")
        if bad := unusable(task, trajectory):
            return Judgement(bad.answer, bad.score, {**bad.evidence, "expected": expected})
        return self._compare(evidence, wanted, trajectory.final_answer)

    def _compare(self, evidence: dict[str, Any], wanted: set[str], output: str) -> Judgement:
        where = self.settings["extract"]
        found = text.extract(where, output)
        evidence["found"] = shown(output if found is None else found)
        if found is None:
            return failed(evidence, text.missing(where))
        if text.normalise(self.settings["normalise"], found) in wanted:
            return passed(evidence, "the answer is right")
        return failed(evidence, "the answer is wrong")


def accepted(task: TaskRecord) -> list[str]:
    """The accepted answers of a task; empty where its reference has none that can be used."""
    answer = task.reference.get("answer")
    several = answer if isinstance(answer, list | tuple) else [answer]
    usable = [one for one in several if isinstance(one, str) and one]
    return usable if len(usable) == len(several) else []


def make(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:  # noqa: ARG001
    only("exact", settings, ("normalise", "extract"))
    return Exact(
        {
            "normalise": list(text.steps("exact", settings.get("normalise", ["strip"]))),
            "extract": text.place("exact", settings.get("extract", "whole")),
        }
    )
