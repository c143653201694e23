"""What the visible tests say about a program, in a few plain lines that an agent can act on.

What a program returns or raises is hostile: it is shortened and its control characters are taken
out before anybody reads it. Values are compared here, in the host, and by their exact types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from improvement.agent.environments.coder_tasks import call
from improvement.sandbox.records import Ended, Outcome, Returned

SHOWN = 100
ENDINGS: dict[Ended, str] = {
    "time": "did not end in time",
    "memory": "needed too much memory",
    "output": "printed or returned too much",
    "exit": "ended the program",
    "crash": "crashed",
}


def report(name: str, cases: Sequence[Mapping[str, Any]], outcome: Outcome) -> list[str]:
    """A line for each case that is not right; none: all are. A program that never came to its
    calls has one line."""
    if not outcome.returned and outcome.ended != "ok":
        return [f"the program {_ending(outcome.ended, outcome.error)}"]
    wrong = []
    for i, case in enumerate(cases):
        said = call(name, case["args"])
        if i >= len(outcome.returned):
            wrong.append(f"{said} was not reached: the program {_ending(outcome.ended, '')}")
        elif line := _wrong(case["expected"], outcome.returned[i]):
            wrong.append(f"{said} {line}")
    return wrong


def same(found: Any, expected: Any) -> bool:
    """Equal and of exactly the same types, all the way down: True is not 1, 1 is not 1.0."""
    if type(found) is not type(expected):
        return False
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, dict):
        return set(found) == set(expected) and all(same(found[k], v) for k, v in expected.items())
    return bool(found == expected)


def shown(value: object) -> str:
    """The value as Python writes it, shortened."""
    try:
        return plain(repr(value))
    except (RecursionError, ValueError):  # nested too deep; an int of too many digits
        return f"a {type(value).__name__} that is too large to show"


def plain(whole: str) -> str:
    """At most SHOWN printable characters of `whole`."""
    cut = "".join(c if c.isprintable() else " " for c in whole[:SHOWN])
    return cut if len(whole) <= SHOWN else cut + "…"


def _wrong(expected: Any, returned: Returned) -> str:
    if returned.ended != "ok":
        return _ending(returned.ended, returned.error)
    if same(returned.value, expected):
        return ""
    return f"returned {shown(returned.value)}, expected {expected!r}"


def _ending(ended: Ended, error: str) -> str:
    return ENDINGS.get(ended) or f"raised {plain(error) or 'an exception'}"
