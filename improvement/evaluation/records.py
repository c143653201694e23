"""What the gate is given and what it answers: frozen records of the evaluation room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

GateAnswer = Literal["pass", "fail", "insufficient"]


@dataclass(frozen=True, slots=True)
class PairedItem:
    """One held-out item judged for both sides. None: no verdict (a verifier error or a gap)."""

    task_key: str
    family: str
    champion: bool | None
    candidate: bool | None


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate found. Shares are in [0, 1]; `interval` is the confidence interval (95 %) of
    `difference` (candidate − champion); `p_value` is exact McNemar, two-sided."""

    answer: GateAnswer
    reason: str
    n: int
    wins: int
    losses: int
    ties: int
    missing: int
    champion_score: float
    candidate_score: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    e_value: float
    families: Sequence[Mapping[str, Any]] = ()
