"""A share with its interval as a bar inside a table cell: numbers in, SVG out, no script."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from improvement.evaluation.reliability import Estimate
from reviews.wording import percent


def interval_bar(
    found: Estimate | None, threshold: float | None = None, what: str = "share"
) -> SafeString:
    """0 to 100 %: the interval as a band, the value as a tick, the threshold as a dashed line."""
    if found is None:
        return SafeString("")
    line = SafeString("")
    if threshold is not None:
        line = format_html('<path class="limit" d="M{x} 0V16"/>', x=f"{threshold * 120:.1f}")
    said = f"{what} {percent(found.value)}, between {percent(found.low)} and {percent(found.high)}"
    return format_html(
        '<svg class="interval-bar" viewBox="0 0 120 16" role="img" aria-label="{said}">'
        '<title>{said}</title><path class="grid" d="M0 8H120"/>'
        '<rect class="band" x="{low}" y="4" width="{width}" height="8" rx="2"/>'
        '{line}<path class="value" d="M{at} 2V14"/></svg>',
        said=said,
        low=f"{found.low * 120:.1f}",
        width=f"{max((found.high - found.low) * 120, 1):.1f}",
        at=f"{min(max(found.value * 120, 1), 119):.1f}",
        line=line,
    )
