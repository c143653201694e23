"""Collapse signals with their intervals, and how two candidates differ on the same tasks.

Intervals are percentile bootstraps over *tasks* (Efron 1979), since attempts at one task are not
independent. Limits: under about 20 tasks they are too narrow; they speak of the probe set's
tasks only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from improvement.collapse.probe import Table
from improvement.collapse.records import SignalValue

Floats = NDArray[np.float64]
REPLICATES = 2000
SHARES = ("pass@", "clipped share", "unjudged share")


@dataclass(frozen=True, slots=True)
class Change:
    """A signal on the tasks where both candidate and baseline have it (`n` of them). `ratio` is
    candidate / baseline (None for a baseline of 0); each interval is at 95 %, `wide` at 99 %."""

    n: int
    value: float
    baseline: float
    interval: tuple[float, float]
    wide: tuple[float, float]
    ratio: float | None = None
    ratio_interval: tuple[float, float] = (0.0, float("inf"))

    @property
    def difference(self) -> float:
        return self.value - self.baseline


def measure(table: Table, seed: int = 0) -> tuple[SignalValue, ...]:
    """Every signal of the table as a mean over its tasks with a 95 % interval. A signal that no
    task defines is absent: it is unknown, which is not zero."""
    return tuple(_value(name, _array(tasks), seed) for name, tasks in table.items() if tasks)


def self_generated(own: int, total: int) -> SignalValue:
    """Share of the training mix that the agent wrote itself, with a Wilson interval (1927).
    ValueError for an empty mix or impossible counts."""
    if not 0 <= own <= total or total == 0:
        raise ValueError(f"{own} own examples of {total} is not a training mix")
    low, high = _wilson(own / total, total)
    return SignalValue("self-generated share", own / total, low, high, total)


def compare(candidate: Mapping[str, float], baseline: Mapping[str, float], seed: int = 0) -> Change:
    """How one signal changed on the tasks that both sides have: paired, bootstrapped over tasks.
    ValueError where they share no task."""
    shared = sorted(set(candidate) & set(baseline))
    if not shared:
        raise ValueError("candidate and baseline have no task in common")
    new, old = (np.array([side[key] for key in shared]) for side in (candidate, baseline))
    weights = _weights(len(shared), seed)
    news, olds = weights @ new, weights @ old
    ratio, bounds = None, (0.0, float("inf"))
    if olds.min() > 0.0:
        ratio, bounds = float(new.mean() / old.mean()), _percentiles(news / olds, 0.95)
    return Change(
        n=len(shared),
        value=float(new.mean()),
        baseline=float(old.mean()),
        interval=_percentiles(news - olds, 0.95),
        wide=_percentiles(news - olds, 0.99),
        ratio=ratio,
        ratio_interval=bounds,
    )


def _value(name: str, values: Floats, seed: int) -> SignalValue:
    mean = float(values.mean())
    if name.startswith(SHARES) and mean in (0.0, 1.0):
        low, high = _wilson(mean, len(values))  # resampling all-equal shares would claim certainty
    else:
        low, high = _percentiles(_weights(len(values), seed) @ values, 0.95)
    return SignalValue(name, mean, min(low, mean), max(high, mean), len(values))


def _weights(tasks: int, seed: int) -> Floats:
    """(REPLICATES, tasks): how much each task weighs in each resample; rows sum to 1."""
    dice = np.random.default_rng([seed, tasks])
    return dice.multinomial(tasks, np.full(tasks, 1.0 / tasks), size=REPLICATES) / tasks


def _percentiles(replicates: Floats, level: float) -> tuple[float, float]:
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(replicates, [tail, 100.0 - tail])
    return float(low), float(high)


def _wilson(share: float, n: int) -> tuple[float, float]:
    interval = binomtest(round(share * n), n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _array(tasks: Mapping[str, float]) -> Floats:
    return np.array([tasks[key] for key in sorted(tasks)], dtype=np.float64)
