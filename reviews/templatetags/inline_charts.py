"""Template tags for the charts that need no script."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from improvement.evaluation.reliability import Estimate
from reviews.charts.bars import interval_bar
from reviews.charts.inline import Point, curve, sparkline
from reviews.templatetags.pawl import score
from reviews.wording import percent

register = template.Library()


@register.simple_tag
def spark(trend: Sequence[Point]) -> SafeString:
    return sparkline(trend)


@register.simple_tag
def loss_curve(losses: Sequence[tuple[float, float]]) -> SafeString:
    return curve(losses, "step")


@register.simple_tag
def interval(found: Estimate | None, threshold: float | None, what: str) -> SafeString:
    return interval_bar(found, threshold, what)


@register.simple_tag
def estimate(found: Estimate | None) -> SafeString:
    """A share in percent with its interval, or a dash."""
    if found is None:
        return SafeString('<span class="muted">–</span>')
    return score(found.value, found.low, found.high)


@register.filter
def bounds(found: Estimate | None) -> SafeString:
    """The interval alone."""
    if found is None:
        return SafeString("")
    low, high = f"{found.low * 100:.1f}", f"{found.high * 100:.1f} %"
    return format_html('<span class="nowrap">[{}, {}]</span>', low, high)


@register.filter
def middle(found: Estimate | None) -> str:
    """The share alone."""
    return percent(found.value if found else None)
