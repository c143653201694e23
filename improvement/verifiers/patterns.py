"""Regular expressions of a schema against text that a model wrote, so that none takes forever.

A pattern is plain when matching it costs at most the square of the text's length: at most one
open repetition, of a single character class, and none inside another. Plain patterns are matched
here on texts of up to 1,000 characters. Everything else is tried first in the sandbox under a time
limit; only what was quick there is matched again here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from improvement.sandbox.records import Call, Limits, SandboxRefused
from improvement.verifiers.base import SpecError

LONGEST_PLAIN = 1_000
MOST_CHARACTERS = 2_000
LIMITS = Limits(seconds=3.0, call_seconds=1.0)
TRY = """
import re

def matched(pattern, texts):
    search = re.compile(pattern).search
    return sum(search(text) is not None for text in texts)
"""
_REPEATS = {code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT}
_SINGLE = {code.LITERAL, code.NOT_LITERAL, code.IN, code.ANY}
_GROUPS = {code.SUBPATTERN, code.BRANCH}


def compiled(pattern: object) -> None:
    """SpecError when `pattern` is no regular expression that may be used in a schema."""
    head = f"verifier schema: the pattern {str(pattern)[:80]!r}"
    if not isinstance(pattern, str) or len(pattern) > MOST_CHARACTERS:
        raise SpecError(f"{head} is too long or no text")
    try:
        re.compile(pattern)
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise SpecError(f"{head} is wrong: {error}") from None
    if any(op in (code.GROUPREF, code.GROUPREF_EXISTS) for op, _ in _all(tree)):
        raise SpecError(f"{head} refers back to a group")


@lru_cache(maxsize=1024)
def is_plain(pattern: str) -> bool:
    tree = parser.parse(pattern)
    open_ = 0
    for op, value in _all(tree):
        if op in _REPEATS:
            low, high, body = value
            simple = len(body) == 1 and body[0][0] in _SINGLE
            if low != high:
                open_ += 1
            if not simple:
                return False
        elif op not in _SINGLE | _GROUPS | {code.AT}:
            return False
    return open_ <= 1


def _all(tree: Any) -> Iterable[tuple[Any, Any]]:
    """Every (operation, value) of a parsed pattern, inner ones too."""
    for op, value in tree:
        yield op, value
        for inner in _inner(value):
            yield from _all(inner)


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, parser.SubPattern):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            if isinstance(part, parser.SubPattern):
                yield part
            elif isinstance(part, list):
                yield from (one for one in part if isinstance(one, parser.SubPattern))


def too_slow(patterns: Iterable[str], texts: Sequence[str]) -> str:
    """The first pattern that takes too long on `texts`, or "". SandboxRefused where it had to be
    tried behind the walls and they are missing."""
    long = any(len(text) > LONGEST_PLAIN for text in texts)
    hard = [p for p in dict.fromkeys(patterns) if long or not is_plain(p)]
    if not hard or not texts:
        return ""
    from improvement.sandbox.pool import sandbox

    calls = [Call("matched", (pattern, list(texts))) for pattern in hard]
    outcome = sandbox().run(TRY, calls, LIMITS)
    answered = sum(one.ended == "ok" for one in outcome.returned)
    if answered == len(hard):
        return ""
    if outcome.ended != "time":
        raise SandboxRefused(f"patterns could not be tried in the sandbox: {outcome.error}")
    return hard[answered]
