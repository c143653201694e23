"""Figures: rows in, dictionaries out that Plotly accepts."""

from __future__ import annotations

import json
import re
from typing import Any

import plotly.graph_objects as go
import pytest

from reviews.charts.gap import gap_trend
from reviews.charts.heldout import Gate, Rollback, heldout_trend
from reviews.charts.signals import Measured, signal_series

GATES = [
    Gate("till-1", "/candidates/1/", 0.4, 0.3, 0.5, 100, 0.1, "pass", True, train=0.5),
    Gate("till-2", "/candidates/2/", 0.7, 0.6, 0.8, 100, 0.4, "pass", False),
]
POINTS = [
    Measured("till-1", "/candidates/1/", 0.5, 0.4, 0.6),
    Measured("till-2", "/candidates/2/", 0.1, 0.05, 0.2, "red"),
]


@pytest.mark.parametrize(
    "figure",
    [
        heldout_trend(GATES, [Rollback(1, "till-1", "today")], 0.1),
        heldout_trend(GATES[:1], [], None),
        heldout_trend([], [], None),
        gap_trend(GATES),
        gap_trend([]),
        signal_series(POINTS, 0.5, 0.4, 0.6),
        signal_series(POINTS[:1]),
        signal_series([]),
    ],
)
def test_plotly_accepts_it_and_json_keeps_it(figure: dict[str, Any]) -> None:
    assert json.loads(json.dumps(figure)) == figure
    assert all(value != "" for value in figure["layout"])
    go.Figure(coloured(figure))


def coloured(value: Any) -> Any:
    """As static/js/charts.js does: a colour for every token."""
    if isinstance(value, str) and value.startswith("token:"):
        assert re.fullmatch(r"token:--[a-z-]+(/0?\.\d+)?", value)
        return "#123456"
    if isinstance(value, list):
        return [coloured(inner) for inner in value]
    if isinstance(value, dict):
        return {key: coloured(inner) for key, inner in value.items()}
    return value


def test_the_band_goes_up_one_side_and_down_the_other() -> None:
    band = heldout_trend(GATES, [], None)["data"][0]
    assert band["x"] == ["till-1", "till-2", "till-2", "till-1"]
    assert band["y"] == [0.5, 0.8, 0.6, 0.3]


def test_one_point_has_an_interval_and_no_band() -> None:
    names = [trace["name"] for trace in heldout_trend(GATES[:1], [], None)["data"]]
    assert "95 % interval" not in names


def test_a_breach_has_another_shape_too() -> None:
    trace = signal_series(POINTS)["data"][-1]
    assert trace["marker"]["symbol"] == ["circle", "diamond"]


def test_the_gap_leaves_out_what_was_not_collected() -> None:
    assert gap_trend(GATES)["data"][0]["x"] == ["till-1"]
