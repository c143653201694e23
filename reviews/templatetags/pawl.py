"""Template tags of every page. Whatever returns markup builds it with `format_html`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from json import dumps
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from reviews import wording
from reviews.badges import badge_of

register = template.Library()

register.filter("plain", wording.plain)
register.filter("duration", wording.duration)
register.filter("ms", wording.milliseconds)
register.filter("percent", wording.percent)
register.filter("compact", wording.compact)


@register.filter
def split(words: str) -> list[str]:
    return words.split()


@register.filter
def json(value: Any) -> str:
    """Indented JSON, to be shown (and so escaped) in a `pre`. What fits in a line stays in one."""
    return wording.folded_json(value)


@register.filter
def raw_json(value: Any) -> str:
    """The same with every character beyond ASCII, seen or unseen, as an escape."""
    return dumps(value, indent=2, ensure_ascii=True, default=str)


@register.filter
def humble(name: str) -> str:
    """`max_new_tokens` as words."""
    return name.replace("_", " ").capitalize()


@register.filter
def shown(value: Any) -> str:
    """A setting as Python would write its value, so that a newline is seen."""
    return wording.plain(dumps(value, ensure_ascii=False, default=str))


@register.simple_tag
def chosen_if(values: Mapping[str, str], name: str, value: str) -> SafeString:
    return SafeString(" selected" if values.get(name) == value else "")


@register.simple_tag(takes_context=True)
def without(context: template.Context, name: str) -> str:
    """The query string of this page without one filter, on its first page."""
    query = context["request"].GET.copy()
    for key in (name, "before", "after"):
        query.pop(key, None)
    return f"?{query.urlencode()}"


@register.filter
def short(digest: str) -> SafeString:
    """The first twelve characters of a digest, with the whole as its title."""
    if not digest:
        return SafeString("–")
    return format_html('<code title="{}">{}</code>', digest, digest[:12])


@register.filter
def ago(then: datetime | None) -> SafeString:
    """`3 minutes ago`, with the exact moment as the title."""
    if then is None:
        return SafeString("–")
    exact = timezone.localtime(then).strftime("%Y-%m-%d %H:%M:%S %Z")
    words = wording.ago(then, timezone.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', then.isoformat(), exact, words)


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name
    )


@register.simple_tag
def badge(value: str, word: str = "") -> SafeString:
    """The badge of a state or verdict (see `reviews.badges`); `word` replaces its word."""
    tone, icon_name, usual = badge_of(value)
    return format_html('<span class="badge {}">{}{}</span>', tone, icon(icon_name), word or usual)


@register.simple_tag
def points(difference: float, low: float | None = None, high: float | None = None) -> SafeString:
    """A difference of shares in percent points with its interval; grey where that spans zero."""
    spans = low is not None and high is not None and low <= 0 <= high
    tone = "flat" if spans or difference == 0 else "up" if difference > 0 else "down"
    number = format_html(
        '<span class="delta {}">{} pts</span>', tone, wording.signed_points(difference)
    )
    if low is None or high is None:
        return number
    return format_html(
        '{} <span class="interval" title="95 % interval of the difference">[{}, {}]</span>',
        number,
        wording.signed_points(low),
        wording.signed_points(high),
    )


@register.simple_tag
def score(share: float | None, low: float | None = None, high: float | None = None) -> SafeString:
    """A share in percent with its interval."""
    if share is None or low is None or high is None:
        return format_html("{}", wording.percent(share))
    return format_html(
        '{} <span class="interval" title="95 % interval">[{}, {}]</span>',
        wording.percent(share),
        f"{low * 100:.1f}",
        f"{high * 100:.1f}",
    )


@register.inclusion_tag("_nav_item.html", takes_context=True)
def nav_item(
    context: template.Context, name: str, label: str, count: Any = 0, of: str = ""
) -> dict[str, Any]:
    """A link of the main navigation; current on its own page and on those below it."""
    url = reverse(name)
    path = context["request"].path
    current = path == url if url == "/" else path.startswith(url)
    return {"url": url, "label": label, "current": current, "count": int(count), "of": of}
