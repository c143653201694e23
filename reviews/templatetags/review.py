"""Template tags of the review, trends and deployments pages."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

from reviews.history import REASONS

register = template.Library()


@register.filter
def figure(value: float | None) -> str:
    """A measured figure to three digits, without an exponent where that can be."""
    if value is None:
        return "–"
    if value and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@register.filter
def evidence(value: float) -> str:
    """An e-value: "27.4", "12,000" or "over 1 million"; beyond that more digits say nothing."""
    if value >= 1e6:
        return "over 1 million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@register.filter
def p_value(value: float) -> str:
    return "below 0.0001" if value < 0.0001 else f"{value:.2g}"


@register.simple_tag
def rollback_reasons() -> Sequence[str]:
    return REASONS
