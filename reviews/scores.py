"""Held-out shares with their intervals, from the gates that measured them."""

from __future__ import annotations

from improvement.evaluation.statistics import wilson
from improvement.models import Agent, Candidate, Deployment, Evaluation
from reviews.charts.inline import Point


def _share(share: float, n: int) -> tuple[float, float, float]:
    return (share, *wilson(round(share * n), n)) if n else (share, 0.0, 1.0)


def champion_score(
    deployment: Deployment | None, gates: list[Evaluation]
) -> tuple[float, float, float] | None:
    """From the newest gate that the champion took part in, on either side."""
    if deployment is None:
        return None
    for gate in reversed(gates):
        if gate.candidate_id == deployment.candidate_id:
            return _share(gate.candidate_score, gate.n)
        if gate.champion_id == deployment.candidate_id:
            return _share(gate.champion_score, gate.n)
    return None


def trend(agent: Agent, gates: list[Evaluation], served: set[int]) -> list[Point]:
    """The first champion, then the candidate of every gate."""
    if not gates:
        return []
    first = gates[0]
    points = [_point(agent, first.champion, first.champion_score, first.n, True)]
    for gate in gates:
        shown = gate.candidate_id in served
        points.append(_point(agent, gate.candidate, gate.candidate_score, gate.n, shown))
    return points


def _point(agent: Agent, of: Candidate, share: float, n: int, served: bool) -> Point:
    value, low, high = _share(share, n)
    return Point(f"{agent.name}-{of.number}", value, low, high, served)
