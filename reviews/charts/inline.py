"""Small charts as SVG inside the page: numbers in, markup out, no script.

Colours come from the style sheet through classes, so they follow the theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from reviews.wording import compact, percent


@dataclass(frozen=True, slots=True)
class Point:
    """One measured share in [0, 1] with its interval; `served` where it was deployed."""

    label: str
    value: float
    low: float
    high: float
    served: bool = False


def sparkline(points: Sequence[Point], width: int = 320, height: int = 72) -> SafeString:
    """Shares from oldest to newest on a fixed 0–100 % scale: band, line, dots (filled: served)."""
    if not points:
        return SafeString("")
    pad, right = 8, 14
    step = (width - pad - right) / max(len(points) - 1, 1)
    x = [pad + i * step for i in range(len(points))]

    def y(share: float) -> float:
        return pad + (1 - min(max(share, 0.0), 1.0)) * (height - 2 * pad)

    edge = [*zip(x, (y(p.high) for p in points), strict=True)]
    edge += reversed([*zip(x, (y(p.low) for p in points), strict=True)])
    dots = format_html_join(
        "",
        '<circle class="{}" cx="{}" cy="{}" r="4"><title>{}: {} [{}, {}]</title></circle>',
        (
            (
                "served" if p.served else "tried",
                f"{at:.1f}",
                f"{y(p.value):.1f}",
                p.label,
                percent(p.value),
                percent(p.low),
                percent(p.high),
            )
            for at, p in zip(x, points, strict=True)
        ),
    )
    words = "; ".join(f"{p.label} {percent(p.value)}" for p in points)
    return format_html(
        '<svg class="spark" viewBox="0 0 {w} {h}" role="img" aria-label="Held-out score: {words}">'
        '<path class="grid" d="M0 {top}H{w}M0 {mid}H{w}M0 {low}H{w}"/>'
        '<polygon class="band" points="{band}"/><polyline class="line" points="{line}"/>'
        "{dots}</svg>",
        w=width,
        h=height,
        words=words,
        top=f"{y(1):.1f}",
        mid=f"{y(0.5):.1f}",
        low=f"{y(0):.1f}",
        band=_pairs(edge),
        line=_pairs(list(zip(x, (y(p.value) for p in points), strict=True))),
        dots=dots,
    )


def curve(points: Sequence[tuple[float, float]], unit: str) -> SafeString:
    """A falling curve such as a training loss: (x, y) pairs, y from zero, ends labelled. The
    drawing stretches to its place; its labels are text beside it and keep their size."""
    if len(points) < 2:
        return SafeString("")
    first_x, last_x = points[0][0], points[-1][0]
    ceiling, span = max(y for _, y in points) or 1.0, (last_x - first_x) or 1.0
    line = [((x - first_x) / span * 1000, (1 - max(y, 0) / ceiling) * 100) for x, y in points]
    return format_html(
        '<div class="curve"><span class="top">{}</span><span class="mid">{}</span>'
        '<span class="zero">0</span><svg viewBox="0 0 1000 100" preserveAspectRatio="none"'
        ' role="img" aria-label="{}"><path class="grid" d="M0 0H1000M0 50H1000M0 100H1000"/>'
        '<polyline class="line" points="{}"/></svg>'
        '<span class="from">{} {}</span><span class="to">{}</span></div>',
        compact(round(ceiling, 3)),
        compact(round(ceiling / 2, 3)),
        f"from {compact(points[0][1])} to {compact(points[-1][1])} over {len(points)} points",
        _pairs(line),
        unit,
        compact(first_x),
        compact(last_x),
    )


def _pairs(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
