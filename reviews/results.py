"""What a stage saved, told to a person: short words for the figures that mean something."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from reviews.wording import compact, percent, signed_points

INTERNAL = frozenset({"champion", "candidate", "dataset", "run_state", "reason"})
DIGEST = re.compile("[0-9a-f]{40,64}")


def told(value: Any) -> list[tuple[str, str]]:
    """The entries of a JSON object that say something to a person, in words."""
    if not isinstance(value, Mapping):
        return []
    said = [(str(key), _worded(str(key), entry)) for key, entry in value.items()]
    return [(key.replace("_", " "), text) for key, text in said if text and key not in INTERNAL]


def _worded(key: str, entry: Any) -> str:
    """Empty for what has no short form."""
    if isinstance(entry, list):
        return ", ".join(_worded("", part) for part in entry[:8])
    if isinstance(entry, bool):
        return "yes" if entry else "no"
    if isinstance(entry, str):
        return entry[:12] if DIGEST.fullmatch(entry) else entry[:200]
    if not isinstance(entry, int | float) or not math.isfinite(entry):
        return ""
    if key.endswith(("score", "share")):
        return percent(entry)
    return f"{signed_points(entry)} pts" if key == "difference" else compact(entry)
