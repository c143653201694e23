"""Rows for the drift charts of one agent: each signal over its candidates, oldest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.text import slugify

from improvement.models import Agent, Candidate, Signal, Warning
from reviews.charts.signals import Measured
from reviews.dossier.signals import bounds, what

SHOWN = 60


@dataclass(frozen=True, slots=True)
class SignalTrend:
    """One signal over the candidates, with generation 0's value and the limits."""

    name: str
    what: str
    points: Sequence[Measured]
    base: float | None
    lower: float | None
    upper: float | None

    @property
    def slug(self) -> str:
        """The id of its chart."""
        return f"signal-{slugify(self.name.replace('@', '-at-'))}"


def signal_trends(agent: Agent) -> list[SignalTrend]:
    """Every signal over the newest candidates, by name."""
    candidates = agent.candidates.order_by("-number").values_list("pk", "number")[:SHOWN]
    numbers: dict[int, int] = dict(candidates)
    zero = agent.generation_zero
    rows = Signal.objects.filter(candidate__in=[*numbers, zero.pk if zero else 0])
    levels = _levels(list(numbers))
    series: defaultdict[str, list[Signal]] = defaultdict(list)
    for row in sorted(rows, key=lambda s: numbers.get(s.candidate_id, -1)):
        series[row.name].append(row)
    return [_trend(agent, name, series[name], numbers, zero, levels) for name in sorted(series)]


def _trend(
    agent: Agent,
    name: str,
    rows: Sequence[Signal],
    numbers: dict[int, int],
    zero: Candidate | None,
    levels: dict[tuple[int, str], str],
) -> SignalTrend:
    base = next((row.value for row in rows if zero and row.candidate_id == zero.pk), None)
    points = [
        Measured(
            name=f"{agent.name}-{numbers[row.candidate_id]}",
            url=reverse("candidate", args=[row.candidate_id]),
            value=row.value,
            low=row.low,
            high=row.high,
            breach=levels.get((row.candidate_id, name), ""),
        )
        for row in rows
        if row.candidate_id in numbers
    ]
    return SignalTrend(name, what(name), points, base, *bounds(name, base))


def _levels(candidates: Sequence[int]) -> dict[tuple[int, str], str]:
    """The worst warning of each candidate and signal."""
    rows = Warning.objects.filter(candidate__in=candidates).order_by("level")  # amber before red
    return {
        (c, signal): level for c, signal, level in rows.values_list("candidate", "signal", "level")
    }
