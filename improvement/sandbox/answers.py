"""From the bytes that a program's process sent to a record. The bytes may be forged."""

from __future__ import annotations

from typing import Any

from improvement.sandbox.inside import tagged
from improvement.sandbox.inside.decoding import Find
from improvement.sandbox.line import Answer, End
from improvement.sandbox.records import Limits, Returned

SHOWN = 300


def tree_of(body: bytes) -> dict[str, Any]:
    """The answer's JSON. Malformed when it is none of the known shapes."""
    tree = tagged.parsed(body)
    if type(tree) is not dict:
        raise tagged.Malformed("the answer is no object")
    return tree


def returned(answer: Answer, limits: Limits, find: Find | None = None) -> Returned:
    """The record of one answer to a call."""
    try:
        tree = tree_of(answer.body)
        if "ok" in tree:
            value = tagged.decode(tree["ok"], find)
            return Returned("ok", value, "", answer.milliseconds)
        if "raised" in tree:
            name, message, own = raised(tree)
            return Returned("exception", None, f"{name}: {message}", answer.milliseconds, own)
        ended, error = trouble(tree, limits)
    except tagged.Malformed as bad:
        ended, error = "crash", f"answered nonsense: {bad}"
    return Returned(ended, None, error, answer.milliseconds)


def trouble(tree: dict[str, Any], limits: Limits) -> tuple[Any, str]:
    """(ended, error) of an answer that holds no value."""
    if "memory" in tree:
        return "memory", f"needed more than {limits.memory >> 20:,} MB of memory"
    if "large" in tree:
        return "output", f"returned {text(tree['large'])}; {limits.result:,} bytes are read"
    if "odd" in tree:
        return "exception", f"returned {text(tree['odd'])}"
    if "raised" in tree:
        name, message, _ = raised(tree)
        return "exception", f"{name}: {message}"
    raise tagged.Malformed("no known answer")


def raised(tree: dict[str, Any]) -> tuple[str, str, str]:
    """Name, message, and the nearest exception of Python's own that it is one of."""
    found = tree["raised"]
    if type(found) is not list or len(found) != 3:
        raise tagged.Malformed("an exception has a name, a message and a kind")
    return text(found[0]), text(found[1]), text(found[2])


def text(value: object) -> str:
    if type(value) is not str:
        raise tagged.Malformed("text expected")
    return value[:SHOWN]


def limit(end: End) -> Returned:
    """The entry for a call during which the program ended."""
    return Returned(end.ended, None, end.error)
