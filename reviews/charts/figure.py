"""What every Plotly figure shares. Figures are plain dictionaries; nothing is imported to make one.

A colour is written "token:--pass" or "token:--pass/0.15" (with an opacity): static/js/charts.js
puts the value of that style sheet token in, and again when the theme changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Figure = dict[str, Any]
Trace = dict[str, Any]

PERCENT = ".0%"
MUTED, LINE, GRID = "token:--text-muted", "token:--pass", "token:--border-muted"


def figure(traces: Sequence[Trace], layout: dict[str, Any]) -> Figure:
    """A figure in the look of the pages: no frame, no fill, its legend above."""
    shared: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "token:--text", "size": 12},
        "margin": {"l": 48, "r": 16, "t": 36, "b": 28},
        "height": 320,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "token:--bg-raised", "font": {"color": "token:--text"}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "dragmode": False,
    }
    return {"data": list(traces), "layout": shared | layout}


def axis(**fields: Any) -> dict[str, Any]:
    return {"gridcolor": GRID, "linecolor": "token:--border", "zeroline": False} | fields


def band(x: Sequence[Any], low: Sequence[float], high: Sequence[float]) -> Trace:
    """The area between two lines, without a legend of its own."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*x, *reversed(x)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": "token:--pass/0.14",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "name": "95 % interval",
    }


def level(x: Sequence[Any], y: float, name: str, colour: str = MUTED) -> Trace:
    """A dotted horizontal line over the whole width."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x[0], x[-1]],
        "y": [y, y],
        "line": {"color": colour, "dash": "dot", "width": 1.5},
        "name": name,
        "hovertemplate": f"{name}: %{{y}}<extra></extra>",
    }


def line_of(
    x: Sequence[str], y: Sequence[float | None], name: str, colour: str, dash: str
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 2, "dash": dash},
        "name": name,
        "hovertemplate": f"<b>%{{x}}</b> {name}: %{{y:.1%}}<extra></extra>",
    }
