"""Statistics of paired pass/fail comparisons.

Throughout, `wins` counts items that only the candidate passed, `losses` items that only the
champion passed, and `n` all items. Limits: items are taken as independent draws from the
population that the block stands for; repeated samples of one task are not items.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, binomtest, norm

SUPPORT = (0.5, 0.75)
"""Shares of wins among decided items that the evidence is mixed over (uniformly)."""

LARGEST_LOG = 690.0
"""e-values are cut off at exp(690), about 1e299: a float, and JSON, can still hold it."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def check_counts(wins: int, losses: int, n: int | None = None) -> None:
    """Raise ValueError unless the counts can belong to one table."""
    if wins < 0 or losses < 0:
        raise ValueError(f"counts cannot be negative: {wins} wins, {losses} losses")
    if n is not None and wins + losses > n:
        raise ValueError(f"{wins} wins and {losses} losses do not fit into {n} items")


def mcnemar(wins: int, losses: int) -> float:
    """Exact two-sided p-value of no difference (McNemar 1947; exact conditional form, Fagerland,
    Lydersen and Laake 2013, BMC Med Res Methodol 13:91). 1.0 when no item decides."""
    check_counts(wins, losses)
    decided = wins + losses
    return min(1.0, 2.0 * float(binom.cdf(min(wins, losses), decided, 0.5))) if decided else 1.0


def wilson(count: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927). (0, 1) when there is nothing to count."""
    if n == 0:
        return 0.0, 1.0
    interval = binomtest(count, n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def paired_interval(wins: int, losses: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval of (wins − losses) / n: Tango 1998, Statistics in Medicine 17:891, eqs 24–26.

    Inverts the score test, so it stays inside [−1, 1] and has a width where nothing differs
    (±z²/(n + z²)), which the Wald interval has not. (−1, 1) when there are no items.
    """
    check_counts(wins, losses, n)
    if n == 0:
        return -1.0, 1.0
    z = float(norm.ppf((1.0 + level) / 2.0))
    return -_tango_upper(losses, wins, n, z), _tango_upper(wins, losses, n, z)


def _tango_upper(wins: int, losses: int, n: int, z: float) -> float:
    def score(delta: float) -> float:
        """Tango's statistic at `delta`, plus z: its root is the upper limit."""
        linear = (2 * n - wins + losses) * delta - wins - losses
        product = losses * delta * (1.0 - delta)
        only_champion = (math.sqrt(max(0.0, linear**2 + 8 * n * product)) - linear) / (4 * n)
        variance = n * (2.0 * only_champion + delta * (1.0 - delta))
        return (wins - losses - n * delta) / math.sqrt(max(variance, 1e-12)) + z

    estimate = (wins - losses) / n
    return 1.0 if wins == n else float(brentq(score, estimate, 1.0, xtol=1e-12))


@lru_cache(maxsize=65536)
def log_e_value(wins: int, losses: int) -> float:
    """Natural log of the evidence for a gain:

        e = mean over θ ~ uniform[.5, .75] of (2θ)^wins · (2(1−θ))^losses

    Under "a decided item is a win with probability at most ½" its mean is at most 1 and it is a
    non-negative supermartingale in the items, so P(e ever ≥ 1/α) ≤ α (Ville 1939; the mixture is
    Robbins 1970; see Ramdas et al. 2023, Statistical Science 38:576). The e-values of separate
    blocks may be multiplied.

    The log of the integrand is concave; the integral is taken by Gauss–Legendre over the part
    within 60 nats of its peak, so any counts are safe from overflow.
    """
    check_counts(wins, losses)
    low, high = SUPPORT

    def log_f(theta: float) -> float:
        return wins * math.log(2.0 * theta) + losses * math.log(2.0 * (1.0 - theta))

    decided = wins + losses
    peak = min(max(wins / decided, low), high) if decided else low
    left, right = _edge(log_f, peak, low), _edge(log_f, peak, high)
    theta = left + (right - left) * (_NODES + 1.0) / 2.0
    logs = wins * np.log(2.0 * theta) + losses * np.log(2.0 * (1.0 - theta)) - log_f(peak)
    mass = float(np.sum(_WEIGHTS * np.exp(logs))) * (right - left) / 2.0
    return log_f(peak) + math.log(mass / (high - low))


def _edge(log_f: Callable[[float], float], peak: float, end: float, drop: float = 60.0) -> float:
    """Where, between `peak` and `end`, the concave `log_f` has fallen by `drop` (or `end`)."""
    floor = log_f(peak) - drop
    if log_f(end) >= floor:
        return end
    inside, outside = peak, end
    for _ in range(60):
        middle = (inside + outside) / 2.0
        inside, outside = (middle, outside) if log_f(middle) >= floor else (inside, middle)
    return outside


def e_value(wins: int, losses: int) -> float:
    """`log_e_value` as a number, cut off at about 1e299 (a smaller e is still valid)."""
    return math.exp(min(log_e_value(wins, losses), LARGEST_LOG))
