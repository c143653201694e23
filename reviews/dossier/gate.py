"""Is it better, and what got worse: the gate's result in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from improvement.models import Evaluation
from reviews.wording import percent, signed_points

ENOUGH = 20.0  # the evidence that a rule without its own asks for (improvement.evaluation.gate)


@dataclass(frozen=True, slots=True)
class GateBox:
    """The gate of a candidate. `needed` is the e-value that a pass needs; `worse` are the
    families whose whole interval lies below zero."""

    row: Evaluation
    needed: float
    families: Sequence[Mapping[str, Any]]
    worse: Sequence[Mapping[str, Any]]
    doubts: Sequence[str]

    @property
    def own_percent(self) -> int:
        return round(100 * self.row.candidate_score)

    @property
    def champion_percent(self) -> int:
        return round(100 * self.row.champion_score)

    @property
    def better(self) -> str:
        """One sentence: scores, difference, how sure."""
        row = self.row
        return (
            f"{row.candidate} passes {percent(row.candidate_score)} of {row.n:,} fresh held-out "
            f"tasks where the champion {row.champion} passes {percent(row.champion_score)}."
        )

    @property
    def lost(self) -> str:
        """One sentence on what the champion could and the candidate can't."""
        row = self.row
        if not row.losses:
            return "No task that the champion solves was lost on this block."
        names = ", ".join(str(family["family"]) for family in self.worse)
        lost = f"{row.losses:,} task{'s' if row.losses > 1 else ''} that the champion solves"
        where = f" Worse beyond doubt in {names}." if names else ""
        return f"It fails {lost}, and solves {row.wins:,} that the champion fails.{where}"


def gate_box(row: Evaluation) -> GateBox:
    """The evaluation as the page shows it."""
    families: list[Mapping[str, Any]] = list(row.families)
    worse = [family for family in families if family.get("falls")]
    needed = float(row.rule.get("evidence", ENOUGH))
    return GateBox(row, needed, families, worse, _doubts(row, families))


def _doubts(row: Evaluation, families: Sequence[Mapping[str, Any]]) -> list[str]:
    """What this result does not say."""
    doubts = [
        f"The true difference may lie anywhere from {signed_points(row.low)} to "
        f"{signed_points(row.high)} points (95 %)."
    ]
    if row.missing:
        doubts.append(
            f"{row.missing:,} item{'s have' if row.missing > 1 else ' has'} no verdict on one "
            "side; the answer holds however they had come out."
        )
    unclear = [
        str(family["family"])
        for family in families
        if family["interval"][0] <= 0 <= family["interval"][1]
    ]
    if unclear and len(families) > 1:
        doubts.append(f"By itself, no family here is clear: {', '.join(unclear)}." if
                      len(unclear) == len(families) else
                      f"Better or worse is open in: {', '.join(unclear)}.")  # fmt: skip
    doubts.append("It speaks of tasks drawn like these, and of no others.")
    return doubts
