"""Verifiers made of verifiers: all, any, weighted with a threshold, first decisive.

Every part judges the attempt on its own, and the evidence has one entry a part. A part's error is
never counted as a fail: where the parts that answered can't settle it, the answer is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers.base import (
    SpecError,
    Verifier,
    Workshop,
    deciding_step,
    shown,
    timed,
    trajectory_of,
)
from improvement.verifiers.build import build
from improvement.verifiers.rules import Decision, all_of, any_of, first_decisive, weighted_sum
from improvement.verifiers.settings import only, quantity

MOST_LEVELS = 5
MOST_PARTS = 20
Rule = Callable[[Sequence[Judgement]], Decision]


@dataclass(frozen=True, slots=True)
class Combined:
    """Judges with every part and lets `rule` decide; `early` asks no further than the first
    part that answers pass or fail."""

    kind: str
    parts: tuple[Verifier, ...]
    rule: Rule = field(repr=False)
    settings: Mapping[str, Any]
    early: bool = False
    version: str = "1"

    @property
    def deterministic(self) -> bool:
        return all(part.deterministic for part in self.parts)

    @property
    def needs_person(self) -> bool:
        return self.early or any(part.needs_person for part in self.parts)

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: self._judge(task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        """Of the parts' golds the first that passes; where none does, the first (a battery then
        shows that the task contradicts itself). None where a person or a model may say no."""
        known = dict.fromkeys(filter(None, (part.gold(task) for part in self.parts)))
        some_are_enough = self.early or self.kind == "any"
        if not known or (not some_are_enough and not self._all_mechanical()):
            return None
        right = (g for g in known if self.judge(task, trajectory_of(task, g)).answer == "pass")
        return next(iter(known)) if len(known) == 1 else next(right, next(iter(known)))

    def _all_mechanical(self) -> bool:
        return self.deterministic and not self.needs_person

    def _judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        found = list(self._ask(task, trajectory))
        decision = self.rule(found)
        evidence: dict[str, Any] = {
            "expected": None,
            "found": shown(trajectory.final_answer),
            "step": deciding_step(trajectory),
            "reason": decision.reason,
            "parts": [_entry(p, j) for p, j in zip(self.parts, found, strict=False)],
        }
        if decision.by is not None:
            by = found[decision.by].evidence
            evidence.update({key: by.get(key) for key in ("expected", "found", "step")})
        if decision.answer == "error" and (self.early or any(map(_waits, found))):
            evidence["needs_person"] = True
        return Judgement(decision.answer, decision.score, evidence)

    def _ask(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Iterator[Judgement]:
        for part in self.parts:
            judged = part.judge(task, trajectory)
            yield judged
            if self.early and judged.answer != "error":
                return


def make_all(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:
    parts = _parts("all", settings, workshop)
    return Combined("all", parts, all_of, _described(parts))


def make_any(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:
    parts = _parts("any", settings, workshop)
    return Combined("any", parts, any_of, _described(parts))


def make_first_decisive(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:
    parts = _parts("first_decisive", settings, workshop)
    return Combined("first_decisive", parts, first_decisive, _described(parts), early=True)


def make_weighted(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:
    only("weighted", settings, ("of", "threshold"))
    entries = settings.get("of")
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise SpecError('verifier weighted: of must be a list of {"verifier": …, "weight": …}')
    weights = [quantity("weighted", "weight", entry.get("weight", 1)) for entry in entries]
    share = settings.get("threshold")
    threshold = quantity("weighted", "threshold", share)
    if not 0 < threshold <= 1 or 0 in weights:
        raise SpecError("verifier weighted: 0 < threshold ≤ 1, and every weight is above 0")
    parts = _parts("weighted", {"of": [entry["verifier"] for entry in entries]}, workshop)
    of = [
        {"verifier": described, "weight": entry.get("weight", 1)}
        for entry, described in zip(entries, _described(parts)["of"], strict=True)
    ]
    rule = weighted_sum(weights, threshold)
    return Combined("weighted", parts, rule, {"of": of, "threshold": share})


def _is_entry(value: object) -> bool:
    return isinstance(value, Mapping) and {"verifier"} <= {*value} <= {"verifier", "weight"}


def _parts(kind: str, settings: Mapping[str, Any], workshop: Workshop) -> tuple[Verifier, ...]:
    only(kind, settings, ("of",))
    specs = settings.get("of")
    if not isinstance(specs, list) or not 1 <= len(specs) <= MOST_PARTS:
        raise SpecError(f"verifier {kind}: of must be a list of 1 to {MOST_PARTS} verifiers")
    for spec in specs:
        if not isinstance(spec, str | Mapping):
            raise SpecError(f"verifier {kind}: {spec!r} is no verifier; write a kind or an object")
        if _levels(spec) >= MOST_LEVELS:
            raise SpecError(f"verifier {kind}: more than {MOST_LEVELS} levels of verifiers")
    return tuple(build(spec, workshop) for spec in specs)


def _levels(spec: object) -> int:
    """How many verifiers stand in one another, counted up to MOST_LEVELS."""
    level, here = 0, [spec]
    while here and level < MOST_LEVELS:
        level += 1
        inner = [part for one in here if isinstance(one, Mapping) for part in _inner(one)]
        here = inner
    return level


def _inner(spec: Mapping[str, Any]) -> list[Any]:
    of = spec.get("of")
    if not isinstance(of, list):
        return []
    return [e["verifier"] if isinstance(e, Mapping) and "verifier" in e else e for e in of]


def _described(parts: Sequence[Verifier]) -> dict[str, Any]:
    """What a digest must cover: each part's kind, version and settings."""
    return {
        "of": [{"kind": p.kind, "version": p.version, "settings": dict(p.settings)} for p in parts]
    }


def _entry(part: Verifier, judged: Judgement) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "answer": judged.answer,
        "score": judged.score,
        "evidence": dict(judged.evidence),
        "milliseconds": round(judged.latency_ms, 3),
    }


def _waits(judged: Judgement) -> bool:
    return judged.answer == "error" and bool(judged.evidence.get("needs_person"))
