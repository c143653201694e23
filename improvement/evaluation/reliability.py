"""How far a verifier can be believed: figures from people's labels.

Labels come from a sample stratified by verdict × family × disagreement, so a stratum counts by its
population (`size`), not by how many of it were labelled. Limits: labels are taken as the truth
(`kappa` says how well people agree), "can't tell" counts nowhere, and a stratum without a label is
left out of an estimate: `covered` says how much of the population the labels stand for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.stats import norm


@dataclass(frozen=True, slots=True)
class Stratum:
    """Verdicts of one kind: how many there are, and how people judged those that were drawn."""

    answer: Literal["pass", "fail"]
    family: str
    disagreement: bool
    size: float
    right: int
    wrong: int

    @property
    def labels(self) -> int:
        return self.right + self.wrong


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; `n` is the number of plain labels that would say as much."""

    value: float
    low: float
    high: float
    n: float


def z_of(confidence: float) -> float:
    """The one-sided normal quantile."""
    if not 0.5 <= confidence < 1.0:
        raise ValueError(f"a confidence is from 0.5 to below 1, not {confidence}")
    return float(norm.ppf(confidence))


def wilson(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a share of `n` labels (Wilson 1927, JASA 22:209); `n` need not be whole.
    (0, 1) without labels."""
    z = z_of((1.0 + level) / 2.0)
    return _score_limit(share, n, -z), _score_limit(share, n, z)


def precision_bound(right: float, n: float, confidence: float = 0.95) -> float:
    """One-sided lower bound of right / n (Wilson). 100 of 100 at 95 %: .974. 0.0 without labels."""
    if right < 0 or right > n:
        raise ValueError(f"{right} right labels do not fit into {n}")
    return _score_limit(right / n if n else 0.0, n, -z_of(confidence))


def _score_limit(share: float, n: float, z: float) -> float:
    """The limit of Wilson's interval on the side of z's sign."""
    if n <= 0:
        return 0.0 if z < 0 else 1.0
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"{share} is no share")
    centre = share + z * z / (2.0 * n)
    spread = z * math.sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n))
    limit = min(max((centre + spread) / (1.0 + z * z / n), 0.0), 1.0)
    return min(limit, share) if z < 0 else max(limit, share)  # rounding never crosses the share


MOST_NEEDED = 100_000


def labels_needed(right: int, n: int, threshold: float, confidence: float = 0.95) -> int:
    """How many more labels, all of them right, lift `precision_bound` to `threshold`.
    MOST_NEEDED where more would not do it."""
    reaches = lambda more: precision_bound(right + more, n + more, confidence) >= threshold  # noqa: E731
    low, high = 0, MOST_NEEDED
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle + 1, high)
    return low


def covered(strata: Sequence[Stratum]) -> float:
    """The share of the population in strata that have at least one label."""
    whole = sum(s.size for s in strata)
    return sum(s.size for s in strata if s.labels) / whole if whole else 0.0


def share_right(strata: Sequence[Stratum], level: float = 0.95) -> Estimate | None:
    """The share of right ones in the population of `strata`; None without labels.

    Stratified mean Σ W_h·p_h with W_h = size_h / Σ size (Cochran 1977, Sampling Techniques, 5.3);
    Wilson's interval at the effective sample size (Σw)² / Σw², where every label of stratum h
    weighs w = size_h / labels_h (Kish 1965; compared with other intervals for surveys by Franco,
    Little, Louis and Slud 2019, JSSAM 7:334). It ignores what stratifying gains, so it is wide
    rather than narrow, and it has a width where no error was seen.
    """
    known = [s for s in strata if s.labels and s.size > 0]
    whole = sum(s.size for s in known)
    if not whole:
        return None
    value = min(sum(s.size * s.right / s.labels for s in known) / whole, 1.0)
    n = whole**2 / sum(s.size**2 / s.labels for s in known)
    low, high = wilson(value, n, level)
    return Estimate(value, low, high, n)


def precision(strata: Sequence[Stratum], level: float = 0.95) -> Estimate | None:
    """P(right | pass): what share of what the verifier accepts is right."""
    return share_right([s for s in strata if s.answer == "pass"], level)


def recall(strata: Sequence[Stratum], level: float = 0.95) -> Estimate | None:
    """P(pass | right), the true positive rate: what share of right attempts is accepted."""
    return _accepted(strata, lambda s: s, level)


def false_pass_rate(strata: Sequence[Stratum], level: float = 0.95) -> Estimate | None:
    """P(pass | wrong), the false positive rate: what share of wrong attempts is accepted."""
    return _accepted(strata, _turned, level)


def _turned(s: Stratum) -> Stratum:
    return Stratum(s.answer, s.family, s.disagreement, s.size, s.wrong, s.right)


def _accepted(
    strata: Sequence[Stratum], view: Callable[[Stratum], Stratum], level: float
) -> Estimate | None:
    """A / (A + B), with A of the wanted ones among the passes and B among the fails.

    A and B come from separate labels, so the interval of B / A follows from theirs (Donner and Zou
    2012, SMMR 21:347, MOVER for a ratio). None unless both verdicts have labels, or there is no
    wanted one in sight.
    """
    seen = [view(s) for s in strata]
    parts = []
    for answer in ("pass", "fail"):
        own = [s for s in seen if s.answer == answer]
        share, size = share_right(own, level), sum(s.size for s in own)
        if share is None and size:
            return None
        share = share or Estimate(0.0, 0.0, 0.0, 0.0)  # no such verdict at all
        parts.append((size * share.value, size * share.low, size * share.high))
    (a, a_low, a_high), (b, b_low, b_high) = parts
    if a + b <= 0:
        return None
    value = a / (a + b)
    low = min(1.0 / (1.0 + _ratio_limit(b, a, b_high, a_low)), value)
    high = max(1.0 / (1.0 + _ratio_limit(b, a, b_low, a_high)), value)
    return Estimate(value, low, high, _equivalent(low, high, level))


def _ratio_limit(x: float, y: float, x_limit: float, y_limit: float) -> float:
    """The limit of x / y where x goes to `x_limit` and y to `y_limit`; inf where y may be 0."""
    if y_limit <= 0:
        return math.inf
    if y <= 0:  # then it is the other limit of y / x, turned
        turned = _ratio_limit(y, x, y_limit, x_limit)
        return 1.0 / turned if turned else math.inf
    if x_limit <= 0:
        return 0.0
    below = y_limit * (2.0 * y - y_limit)
    part = x_limit * (2.0 * x - x_limit)
    root = math.sqrt(max((x * y) ** 2 - part * below, 0.0))
    if abs(below) < 1e-9 * y_limit**2:  # its limit as the divisor vanishes
        return max(part / (2.0 * x * y), 0.0) if x_limit < x else math.inf
    return max((x * y + (root if x_limit > x else -root)) / below, 0.0)


def _equivalent(low: float, high: float, level: float) -> float:
    """How many plain labels have a Wilson interval as wide as this one (Agresti–Coull form)."""
    z, middle, half = z_of((1.0 + level) / 2.0), (low + high) / 2.0, (high - low) / 2.0
    return max((z / half) ** 2 * middle * (1.0 - middle) - z * z, 0.0) if half else 0.0


def purity(solve_rate: float, tpr: float, fpr: float) -> float | None:
    """What share of accepted data is right: p·TPR / (p·TPR + (1−p)·FPR) (Bayes). At a solve rate
    of .05, TPR 1 and FPR .02: .72. None where nothing is accepted."""
    kept = solve_rate * tpr
    accepted = kept + (1.0 - solve_rate) * fpr
    return kept / accepted if accepted > 0 else None


def purity_between(solve_rate: Estimate, tpr: Estimate, fpr: Estimate) -> Estimate | None:
    """Purity with the range that its three intervals span: no narrower than theirs together."""
    value = purity(solve_rate.value, tpr.value, fpr.value)
    if value is None:
        return None
    low = purity(solve_rate.low, tpr.low, fpr.high) or 0.0
    high = purity(solve_rate.high, tpr.high, fpr.low)
    return Estimate(value, min(low, value), max(1.0 if high is None else high, value), 0.0)


def corrected_rate(
    passes: int, n: int, tpr: Estimate, fpr: Estimate, level: float = 0.95
) -> Estimate | None:
    """The true pass rate behind an apparent one: θ = (p + q0 − 1) / (q0 + q1 − 1) with
    q1 = TPR and q0 = 1 − FPR (Rogan and Gladen 1978, Am J Epidemiol 107:71), with the interval of
    Lang and Reiczigel 2014 (Prev Vet Med 113:13), which counts the error of q0 and q1 too.

    None without verdicts, or where the verifier is no better than chance (q0 + q1 ≤ 1).
    """
    q1, q0 = tpr.value, 1.0 - fpr.value
    if n <= 0 or q0 + q1 <= 1.0:
        return None
    z = z_of((1.0 + level) / 2.0)
    n1, n0 = min(tpr.n, 1e9), min(fpr.n, 1e9)
    share = (passes + z * z / 2.0) / (n + z * z)
    s1, s0 = (n1 * q1 + 1.0) / (n1 + 2.0), (n0 * q0 + 1.0) / (n0 + 2.0)
    value = min(max((passes / n + q0 - 1.0) / (q0 + q1 - 1.0), 0.0), 1.0)
    gain = s1 + s0 - 1.0
    if gain <= 0:
        return Estimate(value, 0.0, 1.0, 0.0)
    middle = (share + s0 - 1.0) / gain
    v1, v0 = s1 * (1.0 - s1) / (n1 + 2.0), s0 * (1.0 - s0) / (n0 + 2.0)
    shift = 2.0 * z * z * (middle * v1 - (1.0 - middle) * v0)
    error = share * (1.0 - share) / (n + z * z) + middle**2 * v1 + (1.0 - middle) ** 2 * v0
    half = z * math.sqrt(error) / gain
    low = min(max(middle + shift - half, 0.0), value)
    high = max(min(middle + shift + half, 1.0), value)
    return Estimate(value, low, high, _equivalent(low, high, level))


def kappa(table: Sequence[Sequence[int]], level: float = 0.95) -> Estimate | None:
    """Cohen's κ (1960) of two people's labels: `table[i][j]` counts items that the first called i
    and the second j. Interval: the large-sample error of Fleiss, Cohen and Everitt 1969
    (Psychol Bull 72:323). That error is 0 where they always agreed, and where one of them always
    said the same: there the limits are κ at Wilson's limits of their agreement. None without
    items, or where both only ever said the same one thing."""
    n = sum(map(sum, table))
    if not n:
        return None
    kinds = range(len(table))
    share = [[cell / n for cell in row] for row in table]
    rows, columns = [sum(row) for row in share], [sum(row[j] for row in share) for j in kinds]
    chance = sum(rows[i] * columns[i] for i in kinds)
    if chance >= 1.0 - 1e-12:
        return None
    alike = sum(share[i][i] for i in kinds)
    value = (alike - chance) / (1.0 - chance)
    off = 1.0 - value
    agreed = sum(share[i][i] * (1.0 - (rows[i] + columns[i]) * off) ** 2 for i in kinds)
    apart = sum(share[i][j] * (columns[i] + rows[j]) ** 2 for i in kinds for j in kinds if i != j)
    variance = agreed + off**2 * apart - (value - chance * off) ** 2
    half = z_of((1.0 + level) / 2.0) * math.sqrt(max(variance, 0.0) / n) / (1.0 - chance)
    low, high = value - half, value + half
    if variance < 1e-12:  # but for rounding, 0
        low, high = ((limit - chance) / (1.0 - chance) for limit in wilson(alike, n, level))
    return Estimate(value, max(min(low, value), -1.0), min(max(high, value), 1.0), float(n))
