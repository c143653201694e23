"""The limits of the collapse signals: defaults to be calibrated for each agent."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Limits:
    """`diversity` and `length`: relative change either way. `entropy`: share of the baseline's
    that must be left. `clipped`, `unjudged`: shares of attempts (the former as a rise). `ceiling`:
    a pass@k with nothing left to lose. `self_generated`: largest share of own examples in the
    mix. `min_tasks`: tasks on which both sides must have a signal for it to be compared."""

    diversity: float = 0.20
    entropy: float = 0.30
    length: float = 0.30
    clipped: float = 0.10
    unjudged: float = 0.05
    ceiling: float = 0.95
    self_generated: float = 0.95
    min_tasks: int = 8
    k: int = 8

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            whole = field.name in ("min_tasks", "k")
            if not (value >= 2 if whole else 0.0 < value < 1.0 and math.isfinite(value)):
                raise ValueError(f"the limit {field.name} cannot be {value}")
