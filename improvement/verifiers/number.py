"""The number verifier: the answer equals the reference as a number, within the tolerance.

All arithmetic is exact (fractions): 0.1 + 0.2 and 0.3 do not differ here, and nothing is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers import text
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
from improvement.verifiers.numerals import last_number, number
from improvement.verifiers.settings import one_of, only, quantity

PLACES = ("whole", "last_line", "boxed", "gsm8k", "last_number")


@dataclass(frozen=True, slots=True)
class Number:
    """Pass when |answer - reference| ≤ max(tolerance, relative × |reference|)."""

    settings: Mapping[str, Any]
    kind: str = "number"
    version: str = "1"
    deterministic: bool = True
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: self._judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        answer = task.reference.get("answer")
        if self._reference(answer) is None:
            return None
        return text.wrapped(self.settings["extract"], str(answer))

    def _judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        answer = task.reference.get("answer")
        expected = self._reference(answer)
        shown_answer = answer if isinstance(answer, int) else shown(answer)
        evidence = {"expected": shown_answer, "found": None, "step": deciding_step(trajectory)}
        if expected is None:
            return broken(evidence, f"task {task.key} has no reference answer that is a number")
        if bad := unusable(task, trajectory):
            return Judgement(bad.answer, bad.score, {**bad.evidence, "expected": shown_answer})
        return self._compare(evidence, expected, trajectory.final_answer)

    def _compare(self, evidence: dict[str, Any], expected: Fraction, output: str) -> Judgement:
        where = self.settings["extract"]
        if where == "last_number":
            found = last_number(output, self.settings["decimal"])
        else:
            found = text.extract(where, output)
        evidence["found"] = shown(output if found is None else found)
        if found is None:
            why = "the answer has no number" if where == "last_number" else text.missing(where)
            return failed(evidence, why)
        value = number(found, self.settings["units"], self.settings["decimal"])
        if value is None:
            return failed(evidence, "the answer is not a number that can be read")
        if abs(value - expected) <= self._allowed(expected):
            return passed(evidence, "the number is right")
        return failed(evidence, "the number is wrong")

    def _allowed(self, expected: Fraction) -> Fraction:
        absolute = Fraction(repr(self.settings["tolerance"]))
        return max(absolute, Fraction(repr(self.settings["relative"])) * abs(expected))

    def _reference(self, answer: object) -> Fraction | None:
        if isinstance(answer, str):
            return number(answer, self.settings["units"], self.settings["decimal"])
        if isinstance(answer, bool) or not isinstance(answer, int | float):
            return None
        if isinstance(answer, int):
            return Fraction(answer) if answer.bit_length() < 3_000 else None
        return Fraction(repr(answer)) if math.isfinite(answer) else None


def make(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:  # noqa: ARG001
    only("number", settings, ("tolerance", "relative", "units", "decimal", "extract"))
    tolerance, relative = settings.get("tolerance", 0), settings.get("relative", 0)
    quantity("number", "tolerance", tolerance)
    if quantity("number", "relative", relative) >= 1:
        raise SpecError("verifier number: relative must be below 1, or 0 would always pass")
    return Number(
        {
            "tolerance": tolerance,
            "relative": relative,
            "units": _units(settings.get("units", [])),
            "decimal": one_of("number", "decimal", settings.get("decimal", "."), (".", ",")),
            "extract": text.place("number", settings.get("extract", "whole"), PLACES),
        }
    )


def _units(value: object) -> list[str]:
    if isinstance(value, list) and all(isinstance(u, str) and u.strip() for u in value):
        return [unit.strip() for unit in value]
    raise SpecError(f"verifier number: units must be a list of texts, not {value!r}")
