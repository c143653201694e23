"""Unit tests given as cases: the program gets the arguments, its values are compared here.

`reference = {"entry_point": "f", "cases": [{"args": [2], "expected": 4}, {"args": [-1],
"raises": "ValueError"}], "solution": "def f…", "prelude": "import math"}`; `args`, `kwargs` and
`expected` may use the sandbox's tagged encoding. Expected values never enter the sandbox. The
fast path may say that every case is right; a fail is only ever said by the walled CPython.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.sandbox.fast import run_fast
from improvement.sandbox.inside.plain import EXCEPTIONS
from improvement.sandbox.inside.tagged import Malformed, decode
from improvement.sandbox.pool import sandbox
from improvement.sandbox.records import Call, Limits, Outcome, Returned, SandboxRefused
from improvement.verifiers import running
from improvement.verifiers.base import (
    Workshop,
    broken,
    deciding_step,
    failed,
    passed,
    shown,
    timed,
    unusable,
)
from improvement.verifiers.code import NoProgram, joined, program
from improvement.verifiers.running import BadReference, value_shown
from improvement.verifiers.same import Types, same
from improvement.verifiers.settings import one_of, only, quantity

KIND = "unit_tests"
MOST_CASES = 1_000
SETTINGS = ("types", "tolerance", "limits", "partial", "fast")
_FIELDS = {"args", "kwargs", "expected", "raises"}


@dataclass(frozen=True, slots=True)
class Case:
    """One test: what `call` must return, or the name of the exception that it must raise."""

    call: Call
    expected: Any = None
    raises: str = ""


@dataclass(frozen=True, slots=True)
class UnitTests:
    """Pass when every case is right. Settings: `types` "exact" or "value", `tolerance` for floats,
    `limits` {seconds, call_seconds, memory_mb}, `partial` (the score of a fail is the share of
    cases that were right), `fast` false: always behind the wall."""

    kind: str = KIND
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)
    deterministic: bool = True
    needs_person: bool = False
    types: Types = "exact"
    tolerance: float = 0.0
    bounds: Limits = field(default_factory=Limits)
    partial: bool = False
    fast: bool = True

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: _judge(self, task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        solution = task.reference.get("solution")
        return solution if isinstance(solution, str) else None


def make(settings: Mapping[str, Any], workshop: Workshop) -> UnitTests:  # noqa: ARG001
    only(KIND, settings, SETTINGS)
    types, tolerance = settings.get("types", "exact"), settings.get("tolerance", 0.0)
    one_of(KIND, "types", types, ("exact", "value"))
    return UnitTests(
        settings=dict(settings),
        types=cast(Types, types),
        tolerance=float(quantity(KIND, "tolerance", tolerance)),
        bounds=running.limits(settings, KIND),
        partial=running.flag(settings, "partial", KIND, False),
        fast=running.flag(settings, "fast", KIND, True),
    )


def cases(reference: Mapping[str, Any]) -> list[Case]:
    """The cases of a reference; BadReference names what is wrong."""
    entry = running.entry_point(reference)
    given = reference.get("cases")
    if not isinstance(given, list | tuple) or not given:
        raise BadReference("cases must be a list that is not empty")
    if len(given) > MOST_CASES:
        raise BadReference(f"cases holds {len(given):,}; at most {MOST_CASES:,} are run")
    return [_case(entry, number, case) for number, case in enumerate(given, 1)]


def _case(entry: str, number: int, case: Any) -> Case:
    where = f"case {number}"
    if not isinstance(case, Mapping) or set(case) - _FIELDS:
        raise BadReference(f"{where} may hold args, kwargs, and expected or raises")
    if ("expected" in case) == ("raises" in case):
        raise BadReference(f"{where} must hold either expected or raises")
    raises = case.get("raises", "")
    if not isinstance(raises, str) or ("raises" in case and not raises.isidentifier()):
        raise BadReference(f"{where}: raises must be the name of an exception")
    args = _decoded(case.get("args", []), f"{where}: args")
    kwargs = _decoded(case.get("kwargs", {}), f"{where}: kwargs")
    if not isinstance(args, list | tuple):
        raise BadReference(f"{where}: args must be a list")
    if type(kwargs) is not dict or not all(type(name) is str for name in kwargs):
        raise BadReference(f"{where}: kwargs must be an object")
    expected = _decoded(case.get("expected"), f"{where}: expected")
    return Case(Call(entry, tuple(args), kwargs), expected, raises)


def _decoded(tree: Any, where: str) -> Any:
    try:
        return decode(tree)
    except Malformed as error:
        raise BadReference(f"{where}: {error}") from None


def _judge(verifier: UnitTests, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
    evidence = {"found": shown(trajectory.final_answer) or None, "step": deciding_step(trajectory)}
    evidence["expected"] = None
    try:
        tests = cases(task.reference)
        prelude = running.text_of(task.reference, "prelude")
        if bad := unusable(task, trajectory):
            return Judgement(bad.answer, bad.score, {"expected": None, **bad.evidence})
        source = joined(prelude, program(trajectory.final_answer, tests[0].call.name))
        return _run(verifier, tests, source, evidence)
    except BadReference as error:
        return broken(evidence, f"the reference of task {task.key} makes no sense: {error}")
    except SandboxRefused as error:
        return broken(evidence, str(error))
    except NoProgram as error:
        return failed(evidence, str(error))


def _run(
    verifier: UnitTests, tests: list[Case], source: str, evidence: Mapping[str, Any]
) -> Judgement:
    calls = [test.call for test in tests]
    outcome = run_fast(source, calls, verifier.bounds) if verifier.fast else None
    right = _right(verifier, tests, outcome) if outcome else []
    if outcome is None or not all(right):
        outcome = sandbox().run(source, calls, verifier.bounds)
        right = _right(verifier, tests, outcome)
    count = sum(right)
    evidence = {**evidence, **running.run_evidence(outcome)}
    evidence["cases"] = {"passed": count, "of": len(tests)}
    if all(right) and len(outcome.returned) == len(tests) and outcome.ended == "ok":
        return passed(evidence, f"all {len(tests)} cases are right")
    of = len(tests) + (count == len(tests))  # all right, but then it did not end as it should
    score = count / of if verifier.partial else 0.0
    found, reason = _first_wrong(verifier, tests, outcome, right)
    return failed({**evidence, **found}, reason, score)


def _right(verifier: UnitTests, tests: list[Case], outcome: Outcome) -> list[bool]:
    answers = [*outcome.returned, *[None] * (len(tests) - len(outcome.returned))]
    pairs = zip(tests, answers, strict=False)
    return [answer is not None and _is_right(verifier, test, answer) for test, answer in pairs]


def _is_right(verifier: UnitTests, test: Case, answer: Returned) -> bool:
    if test.raises:
        return answer.ended == "exception" and _is_exception(test.raises, answer)
    right = answer.ended == "ok"
    return right and same(test.expected, answer.value, verifier.types, verifier.tolerance)


def _is_exception(wanted: str, answer: Returned) -> bool:
    """By name, or as one of that kind: json.JSONDecodeError is a ValueError."""
    if answer.error.split(":", 1)[0].strip() == wanted:
        return True
    found, asked = EXCEPTIONS.get(answer.kind), EXCEPTIONS.get(wanted)
    return found is not None and asked is not None and issubclass(found, asked)


def _first_wrong(
    verifier: UnitTests, tests: list[Case], outcome: Outcome, right: list[bool]
) -> tuple[dict[str, Any], str]:
    """The evidence on the first case that went wrong, and the reason of the fail."""
    number = right.index(False) if False in right else len(tests) - 1
    test, call = tests[number], tests[number].call
    expected = f"raises {test.raises}" if test.raises else value_shown(test.expected)
    shown_call = {"case": number + 1, "args": value_shown(list(call.args)), "expected": expected}
    if call.kwargs:
        shown_call["kwargs"] = value_shown(dict(call.kwargs))
    answered = number < len(outcome.returned) and False in right
    answer = outcome.returned[number] if answered else None
    if answer is None or answer.ended not in ("ok", "exception"):
        how = running.ending(outcome, verifier.bounds)
        if not outcome.returned and outcome.ended == "exception":
            return shown_call | {"found": how}, f"the program could not be loaded: {how}"
        return shown_call | {"found": how}, f"case {number + 1} was not answered: {how}"
    found = value_shown(answer.value) if answer.ended == "ok" else f"raised {shown(answer.error)}"
    return shown_call | {"found": found}, f"case {number + 1} is wrong"
