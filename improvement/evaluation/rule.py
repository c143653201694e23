"""What the gate asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GateRule:
    """What the gate asks for. `evidence`: the e-value that a pass needs (20: at most one in twenty
    candidates without a gain gets through). `min_items`: complete pairs. `max_missing`: share of
    items that may lack a verdict. `alpha`: 1 − the level of the interval. `minimum_difference`:
    the smallest gain worth a promotion. Raises ValueError on a rule that could let anything in.
    """

    evidence: float = 20.0
    min_items: int = 100
    max_missing: float = 0.02
    alpha: float = 0.05
    minimum_difference: float = 0.0

    def __post_init__(self) -> None:
        sound = {
            "evidence must be a number above 1": 1.0 < self.evidence < math.inf,
            "min_items must be at least 1": self.min_items >= 1,
            "max_missing must lie in [0, 0.5)": 0.0 <= self.max_missing < 0.5,
            "alpha must lie in (0, 0.5)": 0.0 < self.alpha < 0.5,
            "minimum_difference must lie in [0, 1)": 0.0 <= self.minimum_difference < 1.0,
        }
        wrong = [sentence for sentence, holds in sound.items() if not holds]
        if wrong:
            raise ValueError(f"unsound gate rule: {'; '.join(wrong)} (got {self})")
