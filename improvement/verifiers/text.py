"""What several verifiers do with text: find the answer in it, and make spellings alike.

Nothing here takes more than linear time, whatever the text (at most 1,000,000 characters).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from improvement.verifiers.base import SpecError

GSM8K = "####"
PLACES = ("whole", "last_line", "boxed", "gsm8k", "fenced")
"""Where an answer stands. One more: "after:<marker>"."""

_BOX = "\\boxed{"
_FENCE = re.compile(r"^[ \t]*```[^\n`]*$", re.MULTILINE)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)
_MOST_PASSES = 8


def place(kind: str, value: object, allowed: Iterable[str] = PLACES) -> str:
    """A valid `extract` setting; SpecError names what is allowed."""
    if isinstance(value, str) and (value in allowed or re.match(r"after:\s*\S", value)):
        return value
    known = ", ".join([*allowed, "after:<marker>"])
    raise SpecError(f"verifier {kind}: extract must be one of {known}; not {value!r}")


def extract(where: str, text: str) -> str | None:
    """The part of `text` that is the answer; None where there is none. The last one counts."""
    if where.startswith("after:"):
        return _after(where[6:], text)
    return _FINDERS[where](text)


def missing(where: str) -> str:
    """Why an attempt without that part fails."""
    names = {"boxed": "\\boxed{…}", "gsm8k": GSM8K, "fenced": "closed ``` block"}
    if where.startswith("after:"):
        return f"no answer follows {where[6:]!r}"
    return f"the answer has no {names.get(where, 'text')}"


def wrapped(where: str, answer: str) -> str:
    """An output in which `extract` finds `answer`."""
    if where.startswith("after:"):
        return f"{where[6:]} {answer}"
    forms = {"boxed": f"\\boxed{{{answer}}}", "gsm8k": f"{GSM8K} {answer}"}
    return f"```\n{answer}\n```" if where == "fenced" else forms.get(where, answer)


def _after(marker: str, text: str) -> str | None:
    """The first line with anything on it after the last `marker`."""
    start = text.rfind(marker)
    if start < 0:
        return None
    rest = text[start + len(marker) :].lstrip()
    return rest.split("\n", 1)[0].strip() or None


def _last_line(text: str) -> str | None:
    return text.rstrip().rsplit("\n", 1)[-1].strip() or None


def _boxed(text: str) -> str | None:
    start = text.rfind(_BOX)
    if start < 0:
        return None
    depth = 1
    for at in range(start + len(_BOX), len(text)):
        if text[at] in "{}" and text[at - 1] != "\\":
            depth += 1 if text[at] == "{" else -1
            if depth == 0:
                return text[start + len(_BOX) : at].strip() or None
    return None


def _fenced(text: str) -> str | None:
    """What stands in the last closed ``` block."""
    fences = list(_FENCE.finditer(text))
    pairs = list(zip(fences[::2], fences[1::2], strict=False))
    return text[pairs[-1][0].end() : pairs[-1][1].start()].strip() or None if pairs else None


_FINDERS: dict[str, Callable[[str], str | None]] = {
    "whole": lambda text: text,
    "last_line": _last_line,
    "boxed": _boxed,
    "gsm8k": lambda text: _after(GSM8K, text),
    "fenced": _fenced,
}


def _without_punctuation(text: str) -> str:
    """Unicode's punctuation (categories P*); symbols such as + and $ stay."""
    marks = {ord(c): None for c in set(text) if unicodedata.category(c).startswith("P")}
    return text.translate(marks)


STEPS: dict[str, Callable[[str], str]] = {
    "unicode": lambda text: unicodedata.normalize("NFKC", text),
    "case": str.casefold,
    "punctuation": _without_punctuation,
    "articles": lambda text: _ARTICLES.sub(" ", text),
    "whitespace": lambda text: " ".join(text.split()),
    "strip": str.strip,
}
"""In the order in which they are taken, whatever the order in which they are named."""


def steps(kind: str, value: Any) -> tuple[str, ...]:
    """Valid normalisation steps in their fixed order; SpecError names what is allowed."""
    if isinstance(value, list | tuple) and all(isinstance(v, str) and v in STEPS for v in value):
        return tuple(name for name in STEPS if name in value)
    raise SpecError(
        f"verifier {kind}: normalise must be a list of {', '.join(STEPS)}; not {value!r}"
    )


def normalise(names: Iterable[str], text: str) -> str:
    """`text` after the steps, repeated until nothing changes: doing it twice does no more."""
    wanted = tuple(names)
    for _ in range(_MOST_PASSES):
        before = text
        for name in wanted:
            text = STEPS[name](text)
        if text == before:
            break
    return text
