"""One collapse or drift signal over the candidates of an agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reviews.charts.figure import LINE, Figure, Trace, axis, band, figure, level

LIMIT = "token:--fail"


@dataclass(frozen=True, slots=True)
class Measured:
    """A signal of one candidate with its 95 % interval; `breach` is "", "amber" or "red"."""

    name: str
    url: str
    value: float
    low: float
    high: float
    breach: str = ""


def signal_series(
    points: Sequence[Measured],
    base: float | None = None,
    lower: float | None = None,
    upper: float | None = None,
) -> Figure:
    """Value and band by candidate, with generation 0 and the limits that raise a warning."""
    x = [p.name for p in points]
    traces: list[Trace] = []
    if len(points) > 1:
        traces.append(band(x, [p.low for p in points], [p.high for p in points]))
    for value, name, colour in (
        (base, "generation 0", "token:--text-muted"),
        (lower, "lower limit", LIMIT),
        (upper, "upper limit", LIMIT),
    ):
        if value is not None and points:
            traces.append(level(x, value, name, colour))
    traces.append(_values(points))
    layout = {
        "xaxis": axis(type="category", showgrid=False),
        "yaxis": axis(rangemode="tozero"),
        "height": 200,
        "showlegend": False,
        "margin": {"l": 44, "r": 12, "t": 8, "b": 32},
    }
    return figure(traces, layout)


def _values(points: Sequence[Measured]) -> Trace:
    breached = [bool(p.breach) for p in points]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [p.name for p in points],
        "y": [p.value for p in points],
        "line": {"color": LINE, "width": 2},
        "marker": {
            "color": ["token:--fail" if b else LINE for b in breached],
            "symbol": ["diamond" if b else "circle" for b in breached],
            "size": [11 if b else 7 for b in breached],
        },
        "customdata": [
            [p.url, f"{p.low:.3g} – {p.high:.3g}", p.breach or "within"] for p in points
        ],
        "hovertemplate": "<b>%{x}</b> %{y:.3g}<br>%{customdata[1]} (95 %), %{customdata[2]}"
        "<extra></extra>",
        "name": "value",
    }
