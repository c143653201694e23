"""Template tags for the charts that need no script."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.safestring import SafeString

from reviews.charts.inline import Point, curve, sparkline

register = template.Library()


@register.simple_tag
def spark(trend: Sequence[Point]) -> SafeString:
    return sparkline(trend)


@register.simple_tag
def loss_curve(losses: Sequence[tuple[float, float]]) -> SafeString:
    return curve(losses, "step")
