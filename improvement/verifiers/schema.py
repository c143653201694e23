"""The schema verifier: JSON in the answer that follows a JSON Schema (Draft 2020-12).

A schema says what an answer looks like, seldom whether it is right: combine it with `fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from json import loads
from typing import Any

from jsonschema import ValidationError
from referencing.exceptions import Unresolvable

from improvement.records import Judgement, TaskRecord, TrajectoryRecord, canonical_json
from improvement.sandbox.records import SandboxRefused
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
from improvement.verifiers.patterns import too_slow
from improvement.verifiers.schemas import SECONDS, Compiled, TooSlow, compile_schema
from improvement.verifiers.settings import only
from improvement.verifiers.structured import NotReadable, parts, read_json

PLACES = ("whole", "last_line", "fenced")


@dataclass(frozen=True, slots=True)
class Schema:
    """Pass when the answer's JSON follows `settings["schema"]`, or `reference["schema"]`."""

    settings: Mapping[str, Any]
    kind: str = "schema"
    version: str = "1"
    deterministic: bool = True
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: self._judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:  # noqa: ARG002
        return None

    def _judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        schema = self.settings["schema"] or task.reference.get("schema")
        evidence = {
            "expected": shown(_text(schema)),
            "found": shown(trajectory.final_answer),
            "step": deciding_step(trajectory),
        }
        try:
            ready = _ready(_text(schema))
        except SpecError as why:
            return broken(evidence, str(why))
        if bad := unusable(task, trajectory):
            return Judgement(bad.answer, bad.score, {**evidence, **bad.evidence})
        found = text.extract(self.settings["extract"], trajectory.final_answer)
        if found is None:
            return failed(evidence, text.missing(self.settings["extract"]))
        try:
            value = read_json(found)
        except NotReadable as why:
            return failed(evidence, f"the answer can't be read: {why}")
        return _check(evidence, ready, value)


def _check(evidence: dict[str, Any], ready: Compiled, value: Any) -> Judgement:
    try:
        if slow := _slow_pattern(ready, value):
            return failed(evidence, f"the answer keeps the pattern {slow[:200]!r} busy too long")
        problems = ready.problems(value)
    except SandboxRefused as why:
        return broken(evidence, str(why))
    except TooSlow:
        return broken(evidence, f"the schema takes longer than {SECONDS:g} seconds to check")
    except RecursionError:
        return broken(evidence, "the schema refers to itself without end")
    except Unresolvable as why:
        return broken(evidence, f"the schema refers to what it does not hold: {shown(str(why))}")
    except ArithmeticError:
        return failed(evidence, "the answer holds a number that is too large to check")
    if not problems:
        return passed(evidence, "the answer follows the schema")
    evidence["problems"] = [_row(problem) for problem in problems]
    first = evidence["problems"][0]
    return failed(evidence, f"{first['field']}: {first['message']}"[:500])


def _slow_pattern(ready: Compiled, value: Any) -> str:
    if not ready.for_text and not ready.for_names:
        return ""
    texts, names, here = set[str](), set[str](), [value]
    while here:
        texts |= {one for one in here if isinstance(one, str)}
        names |= {key for one in here if isinstance(one, dict) for key in one}
        here = [part for one in here for part in parts(one)]
    return too_slow(ready.for_text, sorted(texts)) or too_slow(ready.for_names, sorted(names))


def _row(problem: ValidationError) -> dict[str, str]:
    return {
        "field": shown("/".join(map(str, problem.absolute_path)) or "(all of it)"),
        "rule": shown("/".join(map(str, problem.absolute_schema_path))),
        "message": problem.message[:300],
    }


def _text(schema: Any) -> str:
    try:
        return canonical_json(schema)
    except (TypeError, ValueError, RecursionError):
        return "null"


@lru_cache(maxsize=256)
def _ready(schema: str) -> Compiled:
    return compile_schema(loads(schema))


def make(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:  # noqa: ARG001
    only("schema", settings, ("schema", "extract"))
    schema = settings.get("schema")
    if schema is not None:
        compile_schema(schema)
    where = text.place("schema", settings.get("extract", "whole"), PLACES)
    return Schema({"schema": schema, "extract": where})
