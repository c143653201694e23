"""The math verifier: the answer is mathematically the same as the reference (math-verify).

Parsing and comparing run in the sandbox, one fresh process a verdict: sympy can evaluate text, and
math-verify's time-outs use signals. The answer is parsed before the reference enters that process,
and only after `expressions` has let it through. What the answer causes (a time-out, too much
memory) is a fail; a reference that can't be parsed is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.sandbox.records import Call, Limits, Outcome, SandboxRefused
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
from improvement.verifiers.expressions import NotMathematics, expression, repeats, words
from improvement.verifiers.numerals import number
from improvement.verifiers.settings import only

PLACES = ("whole", "last_line", "boxed", "gsm8k")
LIMITS = Limits(seconds=8.0, call_seconds=4.0, memory=1 << 30)
PROGRAM = r'''
import logging
logging.disable(logging.CRITICAL)
from latex2sympy2_extended.latex2sympy2 import NormalizationConfig, latex2sympy, normalize_latex
from math_verify import verify
from math_verify.grader import should_treat_as_complex
from sympy import And, Eq, FiniteSet, N, UnevaluatedExpr

HOW = NormalizationConfig(
    basic_latex=True, units=True, malformed_operators=True, nits=True, boxed="none",
    equations=False,
)
HELD = {}

def read(name, text):
    """Whether all of `text` can be parsed; what it came to is kept under `name`.

    Not math_verify.parse: it looks for mathematics anywhere in a text, so that
    "junk, answer \\frac{1}{2}" would be a half.
    """
    plain = normalize_latex(text, config=HOW)
    real = not should_treat_as_complex(plain)
    try:
        HELD[name] = latex2sympy(
            plain, is_real=real, convert_degrees=False, normalization_config=None
        )
    except Exception:
        return False
    return HELD[name] is not None

def same(digits):
    gold, answer = HELD["gold"], HELD["answer"]
    parts = (answer, *getattr(answer, "args", ()))
    if any(far(e.lhs, e.rhs, digits) for e in parts if isinstance(e, Eq)):
        return False  # "6 = 5" is no way to say 5
    if mistaken(gold, answer) or mistaken(answer, gold):
        return False
    alike = verify(gold, answer, float_rounding=digits, timeout_seconds=None)
    return bool(alike) and not far(gold, answer, digits)

def mistaken(one, other):
    """What verify takes for the same and is not: "2,1" for x=1, y=2, whose values are no set, and
    the set {1,2} for 1<x<2."""
    named = {e.lhs for e in getattr(one, "args", ()) if isinstance(e, Eq)}
    equations = any(isinstance(e, Eq) for e in getattr(other, "args", ()))
    return len(named) > 1 and not equations or isinstance(one, And) and isinstance(other, FiniteSet)

def far(gold, answer, digits):
    """Two numbers that only look alike because both round to the same, such as 0 and 1e-9."""
    try:
        if any(e.has(UnevaluatedExpr) or not e.is_number for e in (gold, answer)):
            return False
        one, other = N(gold, 30), N(answer, 30)
        return bool(abs(one - other) > 10 ** (1 - digits) * max(abs(one), abs(other)))
    except (TypeError, ValueError, AttributeError):
        return False
'''


@dataclass(frozen=True, slots=True)
class Math:
    """Pass when the answer equals `reference["answer"]`: a LaTeX or plain expression, an equation,
    a set, an interval, a matrix, or words."""

    settings: Mapping[str, Any]
    kind: str = "math"
    version: str = "1"
    deterministic: bool = True
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: self._judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        answer = _reference(task)
        return text.wrapped(self.settings["extract"], answer) if answer else None

    def _judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        gold = _reference(task)
        evidence = {"expected": gold, "found": None, "step": deciding_step(trajectory)}
        try:
            reference = expression(gold) if not words(gold) else ""
        except NotMathematics as why:
            return broken(evidence, f"the reference of task {task.key} can't be read: {why}")
        if bad := unusable(task, trajectory):
            return Judgement(bad.answer, bad.score, {**bad.evidence, "expected": gold})
        found = text.extract(self.settings["extract"], trajectory.final_answer)
        evidence["found"] = shown(trajectory.final_answer if found is None else found)
        if found is None:
            return failed(evidence, text.missing(self.settings["extract"]))
        if told := words(gold):
            right = words(found) == told or found.strip().casefold() == told
            return passed(evidence, "the words are right") if right else _wrong(evidence)
        return self._compare(evidence, task, gold, reference, found)

    def _compare(
        self, evidence: dict[str, Any], task: TaskRecord, gold: str, reference: str, found: str
    ) -> Judgement:
        value = number(found)
        if value is not None and value == number(gold):
            return passed(evidence, "the number is right")
        if repeats(found, gold, task.prompt):
            return failed(evidence, "the answer repeats the question and does not work it out")
        try:
            answer = expression(found)
        except NotMathematics as why:
            return failed(evidence, f"the answer is not read as mathematics: {why}")
        return _decide(evidence, task, _run(reference, answer, self.settings["digits"]))


def _run(reference: str, answer: str, digits: int) -> Outcome | SandboxRefused:
    from improvement.sandbox.pool import sandbox

    calls = [
        Call("read", ("answer", answer)),
        Call("read", ("gold", reference)),
        Call("same", (digits,)),
    ]
    try:
        return sandbox("math").run(PROGRAM, calls, LIMITS)
    except SandboxRefused as why:
        return why


def _decide(
    evidence: dict[str, Any], task: TaskRecord, came: Outcome | SandboxRefused
) -> Judgement:
    """Calls 1, 2 and 3 read the answer, read the reference, and compare."""
    if isinstance(came, SandboxRefused):
        return broken(evidence, str(came))
    ended = [one.ended for one in came.returned]
    values = [one.value for one in came.returned]
    if not ended:
        return broken(evidence, f"the sandbox did not answer: {came.error or came.ended}")
    if len(ended) > 1 and values[1] is not True:
        why = came.returned[1].error or "it does not parse"
        return broken(evidence, f"the reference of task {task.key} can't be read: {why}")
    if values[0] is not True:
        said = came.returned[0].error or came.error
        return failed(evidence, f"the answer can't be parsed{f': {said}' if said else ''}")
    if len(ended) < 3 or ended[2] != "ok":
        said = came.returned[-1].error or came.error or came.ended
        return failed(evidence, f"the answer could not be compared: {said}")
    return passed(evidence, "the answer is right") if values[2] is True else _wrong(evidence)


def _wrong(evidence: dict[str, Any]) -> Judgement:
    return failed(evidence, "the answer is wrong")


def _reference(task: TaskRecord) -> str:
    answer = task.reference.get("answer")
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        return ""
    return str(answer).strip()


def make(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:  # noqa: ARG001
    only("math", settings, ("digits", "extract"))
    digits = settings.get("digits", 6)
    if isinstance(digits, bool) or not isinstance(digits, int) or not 2 <= digits <= 12:
        raise SpecError(f"verifier math: digits must be an integer from 2 to 12, not {digits!r}")
    where = text.place("math", settings.get("extract", "whole"), PLACES)
    return Math({"digits": digits, "extract": where})
