"""The rubrics that a verifier judges by: people who label its attempts go by the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reviews.wording import plain

DEEPEST = 6
LETTERS_SHOWN = 5_000


def rubrics_of(settings: Any, depth: int = 0) -> list[str]:
    """Those of the verifier itself and of its parts, in order, each once."""
    if depth > DEEPEST or not isinstance(settings, Mapping):
        return []
    own = settings.get("rubric")
    found = [plain(own)[:LETTERS_SHOWN]] if isinstance(own, str) and own else []
    parts = settings.get("of")
    for part in parts if isinstance(parts, list) else []:
        inner = part.get("verifier", part) if isinstance(part, Mapping) else part
        found += rubrics_of(
            inner.get("settings") if isinstance(inner, Mapping) else None, depth + 1
        )
    return list(dict.fromkeys(found))
