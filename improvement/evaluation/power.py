"""How many items a comparison needs, and how often a true gain gets through the gate.

`difference` is the true gain in shares (0.1 = ten points) and `discordance` the share of items on
which candidate and champion differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.stats import binom, norm

from improvement.evaluation.statistics import log_e_value


def items_needed(
    difference: float, discordance: float, power: float = 0.8, alpha: float = 0.05
) -> int:
    """Items for a one-sided paired test at level `alpha`: (z_α + z_β)²(ψ − δ²)/δ².

    Wald form with the variance under the alternative (Miettinen 1968, Biometrics 24:339; compare
    Connor 1987). Gains of 10, 5 and 3 points with discordance .2 need 118, 489 and 1,368. The
    e-value asks for more evidence than p < .05: `gate_power` says what it reaches.
    """
    _check(difference, discordance)
    z = float(norm.ppf(1.0 - alpha) + norm.ppf(power))
    return math.ceil(z**2 * (discordance - difference**2) / difference**2)


def gate_power(n: int, difference: float, discordance: float, evidence: float = 20.0) -> float:
    """Probability that e ≥ `evidence` on one block of `n` items, by exact enumeration."""
    _check(difference, discordance)
    win = (discordance + difference) / (2.0 * discordance)
    needed = math.log(evidence)
    decided = np.arange(n + 1)
    chances = binom.pmf(decided, n, discordance)
    total = 0.0
    for d in decided[chances > 1e-12]:
        total += chances[d] * binom.sf(_fewest_wins(int(d), needed) - 1, d, win)
    return float(total)


def _fewest_wins(decided: int, needed: float) -> int:
    """The fewest wins among `decided` items with log e ≥ `needed` (decided + 1: impossible)."""
    return _bisect(lambda wins: log_e_value(wins, decided - wins) >= needed, decided)


def _bisect(enough: Callable[[int], bool], top: int) -> int:
    low, high = 0, top + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _check(difference: float, discordance: float) -> None:
    if not 0.0 < difference <= discordance <= 1.0:
        raise ValueError(
            f"a gain of {difference} is not possible with discordance {discordance}: "
            "0 < difference <= discordance <= 1 must hold"
        )
