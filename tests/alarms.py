"""Signals, warnings and holds for tests."""

from __future__ import annotations

from typing import Any

from improvement.models import Agent, Candidate, Hold, Signal, Warning


def make_signal(candidate: Candidate, name: str = "distinct_2", value: float = 0.5) -> Signal:
    fields = {"value": value, "low": value - 0.05, "high": value + 0.05, "n": 100}
    agent = candidate.agent
    return Signal.objects.create(agent=agent, candidate=candidate, name=name, **fields)


def make_warning(candidate: Candidate, level: str = "amber", **fields: Any) -> Warning:
    fields = {
        "signal": "distinct_2",
        "against": "generation 0",
        "value": 0.2,
        "baseline": 0.6,
        "limit": 0.3,
        "sentence": "Distinct-2 fell from 0.60 to 0.20 against generation 0.",
    } | fields
    agent = candidate.agent
    return Warning.objects.create(agent=agent, candidate=candidate, level=level, **fields)


def make_hold(agent: Agent, warning: Warning | None = None, **fields: Any) -> Hold:
    fields = {"reason": "A red warning."} | fields
    return Hold.objects.create(agent=agent, warning=warning, **fields)
