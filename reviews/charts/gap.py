"""Success in training beside success on held-out tasks."""

from __future__ import annotations

from collections.abc import Sequence

from reviews.charts.figure import LINE, MUTED, PERCENT, Figure, axis, figure, line_of
from reviews.charts.heldout import Gate


def gap_trend(gates: Sequence[Gate]) -> Figure:
    """Share of own training attempts that passed beside the held-out score of the same candidate.

    A train share that runs ahead of the held-out score says that the agent learns its tasks, not
    the skill.
    """
    both = [g for g in gates if g.train is not None]
    x = [g.name for g in both]
    traces = [
        line_of(x, [g.train for g in both], "own training attempts", MUTED, "dash"),
        line_of(x, [g.score for g in both], "held-out", LINE, "solid"),
    ]
    layout = {
        "xaxis": axis(type="category", showgrid=False),
        "yaxis": axis(range=[-0.02, 1.04], tickformat=PERCENT),
        "height": 260,
    }
    return figure(traces, layout)
