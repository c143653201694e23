"""The fields verifier: a JSON answer against reference values, field by field.

Types are exact: true is not 1, "3" is not 3, and 3.0 is not 3 unless the field has a tolerance
(0 is one). The score is the share of fields that are right; only all of them pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord, canonical_json
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
from improvement.verifiers.compared import Comparison, Difference, differences
from improvement.verifiers.paths import built, leaves, path_of
from improvement.verifiers.settings import one_of, only, quantity
from improvement.verifiers.structured import NotReadable, read_json

PLACES = ("whole", "last_line", "fenced")
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fields:
    """Pass when every field of `reference["fields"]` has its value in the answer."""

    settings: Mapping[str, Any]
    comparison: Comparison
    kind: str = "fields"
    version: str = "1"
    deterministic: bool = True
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: self._judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        wanted = task.reference.get("fields")
        if not isinstance(wanted, Mapping) or not wanted:
            return None
        by_path = any("." in key or key.startswith("/") for key in wanted)
        value = built(dict(leaves(wanted))) if by_path else wanted
        return text.wrapped(self.settings["extract"], canonical_json(value))

    def _judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        wanted = task.reference.get("fields")
        evidence = {
            "expected": shown(_text(wanted)),
            "found": shown(trajectory.final_answer),
            "step": deciding_step(trajectory),
        }
        if why := self._unusable_reference(wanted):
            return broken(evidence, f"task {task.key} can't be judged: {why}")
        if bad := unusable(task, trajectory):
            return Judgement(bad.answer, bad.score, {**evidence, **bad.evidence})
        found = text.extract(self.settings["extract"], trajectory.final_answer)
        if found is None:
            return failed(evidence, text.missing(self.settings["extract"]))
        try:
            return self._compare(evidence, wanted, read_json(found))
        except NotReadable as why:
            return failed(evidence, f"the answer can't be read: {why}")

    def _compare(self, evidence: dict[str, Any], wanted: Any, value: Any) -> Judgement:
        right, wrong = differences(self.comparison, wanted, value)
        score = right / (right + len(wrong))
        evidence |= {"right": right, "of": right + len(wrong), "fields": list(_rows(wrong))}
        if not wrong:
            return passed(evidence, f"all {right} fields are right", score)
        names = ", ".join(one.field[:80] for one in wrong[:5])
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        return failed(evidence, f"wrong: {names}{more}", score)

    def _unusable_reference(self, wanted: Any) -> str:
        if not isinstance(wanted, Mapping) or not wanted:
            return "its reference has no fields"
        try:
            read_json(_text(wanted))
        except NotReadable as why:
            return f"its fields can't be read: {why}"
        if all(self.comparison.ignored(path) for path, _ in leaves(wanted)):
            return "all of its fields are ignored"
        return ""


def _rows(wrong: list[Difference]) -> Iterator[dict[str, Any]]:
    for one in wrong[:MOST_SHOWN]:
        yield {
            "field": shown(one.field),
            "expected": shown(_text(one.expected)),
            "found": shown(_text(one.found)),
            "reason": one.reason,
        }


def _text(value: Any) -> str:
    try:
        return canonical_json(value)
    except (TypeError, ValueError):
        return repr(value)


def make(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:  # noqa: ARG001
    only("fields", settings, ("tolerance", "normalise", "ignore", "extra", "extract"))
    plain: dict[str, Any] = {
        "tolerance": _by_path(settings.get("tolerance", {})),
        "normalise": _by_path(settings.get("normalise", {})),
        "ignore": _paths(settings.get("ignore", [])),
        "extra": one_of("fields", "extra", settings.get("extra", "allow"), ("allow", "refuse")),
        "extract": text.place("fields", settings.get("extract", "whole"), PLACES),
    }
    tolerances = {p: quantity("fields", "tolerance", t) for p, t in plain["tolerance"].items()}
    comparison = Comparison(
        tolerance={path_of(path): tolerance for path, tolerance in tolerances.items()},
        normalise={path_of(p): text.steps("fields", s) for p, s in plain["normalise"].items()},
        ignore=tuple(path_of(path) for path in plain["ignore"]),
        refuse_extra=plain["extra"] == "refuse",
    )
    return Fields(plain, comparison)


def _paths(value: Any) -> list[str]:
    if isinstance(value, list) and all(isinstance(path, str) for path in value):
        return list(value)
    raise SpecError(f"verifier fields: ignore must be a list of paths, not {value!r}")


def _by_path(value: Any) -> dict[str, Any]:
    """{path: setting}; a setting without a path is for every field ("**")."""
    return dict(value) if isinstance(value, Mapping) else {"**": value}
