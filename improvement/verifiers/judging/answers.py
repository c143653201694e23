"""From the text that a model wrote to a verdict: the whole text is one JSON object, or nonsense.

Nothing is searched for inside other text: a judge that quotes an attempt must not lend it its vote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from improvement.verifiers.base import shown
from improvement.verifiers.judging.troubles import Nonsense

LONGEST = 100_000
FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer of a model: `word` is one of those that were asked for; `reason` is whatever
    it wrote, to be cleaned before it is kept."""

    word: str
    reason: str


def parse(text: str, words: Collection[str]) -> Verdict:
    """The verdict in `text`: {"reason": text, "verdict": one of `words`}, alone or inside one
    Markdown code fence. Nonsense says what is wrong."""
    if len(text) > LONGEST:
        raise Nonsense(f"its answer has {len(text):,} characters")
    bare = text.strip()
    if fenced := FENCED.fullmatch(bare):
        bare = fenced[1]
    try:
        value = json.loads(bare, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Nonsense("its answer is not one JSON object") from None
    if not isinstance(value, dict) or set(value) != {"reason", "verdict"}:
        raise Nonsense('its answer does not hold exactly "reason" and "verdict"')
    if not isinstance(value["reason"], str):
        raise Nonsense('its "reason" is not text')
    if not isinstance(value["verdict"], str) or value["verdict"] not in words:
        raise Nonsense(f'its "verdict" is none of {", ".join(sorted(words))}')
    return Verdict(value["verdict"], value["reason"])


def clean(text: str) -> str:
    """Text that every database takes: valid UTF-8, no NUL, of bounded length."""
    return shown(text.replace("\x00", ""))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name twice")
    return value


def _refuse(text: str) -> None:
    raise ValueError(text)
