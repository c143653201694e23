"""The held-out score over the gates of one agent, with what was deployed and rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reviews.charts.figure import (
    LINE,
    MUTED,
    PERCENT,
    Figure,
    Trace,
    axis,
    band,
    figure,
    level,
    line_of,
)


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: shares in [0, 1] on its own fresh block. `champion` is the score of what served
    then, on the same items; `train` the share of its own training attempts that passed."""

    name: str
    url: str
    score: float
    low: float
    high: float
    n: int
    champion: float | None
    answer: str
    served: bool
    train: float | None = None


@dataclass(frozen=True, slots=True)
class Rollback:
    """A rollback after the gate at position `after`; `to` names what served again."""

    after: int
    to: str
    when: str


def heldout_trend(
    gates: Sequence[Gate], rollbacks: Sequence[Rollback], base: float | None
) -> Figure:
    """Score and 95 % band by candidate; `base` is the score of generation 0."""
    x = [gate.name for gate in gates]
    traces: list[Trace] = []
    if len(gates) > 1:
        traces.append(band(x, [g.low for g in gates], [g.high for g in gates]))
    if base is not None and gates:
        traces.append(level(x, base, "generation 0"))
    traces += [_champion(gates), _scores(gates), _deployed(gates)]
    layout = {
        "xaxis": axis(type="category", showgrid=False),
        "yaxis": axis(range=[-0.02, 1.04], tickformat=PERCENT),
        "shapes": [_line(r) for r in rollbacks],
        "annotations": [_flag(r) for r in rollbacks],
    }
    return figure(traces, layout)


def _scores(gates: Sequence[Gate]) -> Trace:
    errors = {
        "type": "data",
        "symmetric": False,
        "array": [g.high - g.score for g in gates],
        "arrayminus": [g.score - g.low for g in gates],
        "color": "token:--pass/0.5",
        "thickness": 1.2,
        "width": 4,
    }
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [g.name for g in gates],
        "y": [g.score for g in gates],
        "error_y": errors,
        "line": {"color": LINE, "width": 2},
        "marker": {"color": "token:--bg", "size": 9, "line": {"color": LINE, "width": 2}},
        "name": "candidate, held-out",
        "customdata": [
            [g.url, g.answer or "the first champion", f"{g.low:.1%} – {g.high:.1%}", g.n]
            for g in gates
        ],
        "hovertemplate": "<b>%{x}</b> %{y:.1%}<br>%{customdata[2]} (95 %), n = %{customdata[3]}"
        "<br>gate: %{customdata[1]}<extra></extra>",
    }


def _deployed(gates: Sequence[Gate]) -> Trace:
    served = [g for g in gates if g.served]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [g.name for g in served],
        "y": [g.score for g in served],
        "marker": {"color": LINE, "size": 11, "symbol": "circle"},
        "name": "deployed",
        "customdata": [[g.url] for g in served],
        "hoverinfo": "skip",
    }


def _champion(gates: Sequence[Gate]) -> Trace:
    scores = [g.champion for g in gates]
    trace = line_of([g.name for g in gates], scores, "champion then", MUTED, "dash")
    trace["mode"] = "lines"
    trace["line"]["shape"] = "hvh"
    return trace


def _line(rollback: Rollback) -> dict[str, object]:
    """A category axis counts its places from 0: half a place after the gate."""
    at = rollback.after + 0.5
    line = {"color": "token:--attention", "width": 1.5, "dash": "dot"}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
            "line": line}  # fmt: skip


def _flag(rollback: Rollback) -> dict[str, object]:
    return {
        "x": rollback.after + 0.5,
        "y": 0.02,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "left",
        "textangle": -90,
        "text": f"↩ back to {rollback.to}",
        "hovertext": rollback.when,
        "showarrow": False,
        "font": {"color": "token:--attention", "size": 11},
    }
