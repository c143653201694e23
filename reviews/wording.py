"""Figures and foreign text as words: pure functions, used by the template tags and the tests."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

LETTERS_A_LINE = 88
DEEPEST_INDENT = 40

# CSI and OSC escape sequences, then other two-byte escapes.
_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x1b\\|\x07|$)|\x9b[0-?]*[ -/]*[@-~]|\x1b[@-_]?",
    re.DOTALL,
)
# Control characters except tab and newline; marks that reorder or hide text (bidi overrides,
# isolates and marks, zero-width space, word joiner, byte-order mark, interlinear and tag marks).
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e"
    "\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


# (from how many seconds on, seconds in one, word)
_UNITS = (
    (86_400 * 60, 86_400 * 30, "month"),
    (86_400 * 2, 86_400, "day"),
    (3600, 3600, "h"),
    (60, 60, "min"),
)


def plain(text: object) -> str:
    """Model output without what could steer a terminal, reorder a line or hide in it."""
    cleaned = _ANSI.sub("", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", cleaned)


def duration(seconds: float | None) -> str:
    """Seconds as "0.8 s", "42 s", "3 min 05 s", "2 h 10 min" or "4 days"."""
    if seconds is None or seconds < 0:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    if seconds < 172_800:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
    return f"{int(seconds // 86_400)} days"


def milliseconds(value: float | None) -> str:
    """Milliseconds as "412 ms", "3.2 s", …"""
    if value is None or value < 0:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else duration(value / 1000)


def ago(then: datetime, now: datetime) -> str:
    """How long ago, or how far ahead, in the largest fitting unit."""
    gap = now - then
    future = gap < timedelta(0)
    seconds = abs(gap.total_seconds())
    if seconds < 45:
        return "soon" if future else "just now"
    for least, size, unit in _UNITS:
        if seconds >= least:
            count = max(1, round(seconds / size))
            words = f"{count} {unit}{'s' if count > 1 and unit in ('month', 'day') else ''}"
            return f"in {words}" if future else f"{words} ago"
    return "in 1 min" if future else "1 min ago"


def percent(share: float | None) -> str:
    """A share in [0, 1] as "61.3 %"."""
    return "–" if share is None else f"{share * 100:.1f} %"


def signed_points(difference: float) -> str:
    """A difference of shares as "+61.3", with a true minus sign; never "-0.0"."""
    value = round(difference * 100, 1)
    if value == 0:
        return "0.0"
    return f"{'+' if value > 0 else '−'}{abs(value):.1f}"


def compact(value: float) -> str:
    """A number for a narrow place: 1,234 or 12.3 or 0.0042."""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"


def folded_json(value: Any, indent: int = 0) -> str:
    """JSON in which a list or an object that fits in a line stays in one."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    if len(line) + indent <= LETTERS_A_LINE or indent > DEEPEST_INDENT or not value:
        return line
    if isinstance(value, dict):
        names = (json.dumps(str(name), ensure_ascii=False) for name in value)
        parts = [
            f"{n}: {folded_json(v, indent + 2)}" for n, v in zip(names, value.values(), strict=True)
        ]
    elif isinstance(value, list):
        parts = [folded_json(part, indent + 2) for part in value]
    else:
        return line
    inner = f",\n{' ' * (indent + 2)}".join(parts)
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n{' ' * (indent + 2)}{inner}\n{' ' * indent}{last}"
