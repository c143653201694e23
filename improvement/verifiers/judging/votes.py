"""Several votes to one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from improvement.records import Answer


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote. "void": the model answered nonsense twice, or contradicted itself when the two
    answers that it compares changed places."""

    seed: int
    verdict: Literal["pass", "fail", "void"]
    reason: str
    cached: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def tally(votes: Sequence[Vote], wanted: int) -> tuple[Answer, float | None, str]:
    """(answer, share of pass votes among the valid ones, reason). Error when half of the votes
    that were wanted, or more, are void, and in a tie."""
    valid = [v for v in votes if v.verdict != "void"]
    if len(valid) * 2 <= wanted:
        return "error", None, f"only {len(valid)} of {wanted} votes were valid: {_voids(votes)}"
    passes = sum(v.verdict == "pass" for v in valid)
    if passes * 2 == len(valid):
        return "error", None, f"the votes are tied, {passes} against {passes}"
    answer: Answer = "pass" if passes * 2 > len(valid) else "fail"
    reasons = [v.reason for v in valid if v.verdict == answer]
    count = f"{passes} of {len(valid)} valid votes say pass"
    return answer, passes / len(valid), f"{count}: {reasons[0]}"


def _voids(votes: Sequence[Vote]) -> str:
    return "; ".join(dict.fromkeys(v.reason for v in votes if v.verdict == "void"))
