"""Reading one line's JSON, and its fields, without trusting any of it.

The limits are those of the tables: what passes here can be stored (PostgreSQL keeps neither NUL
characters nor lone surrogates nor NaN) and read again by anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from improvement.ingest.tasks.records import OpenSplit, Problem
from improvement.records import Split

DEEPEST = 64
LONGEST_PROMPT = 200_000  # characters
LONGEST_KEY = 120
LONGEST_FAMILY = 60
HIGHEST_LEVEL = 32_767
SPLITS: tuple[Split, ...] = ("train", "dev", "heldout")


class Unreadable(ValueError):
    """The line can't be read as an object at all."""


def object_of(data: bytes) -> dict[str, Any]:
    """The JSON object of a line; Unreadable says why there is none."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 (byte {error.start + 1})") from None
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise Unreadable(f"is nested deeper than {DEEPEST} levels") from None
    except ValueError as error:  # NaN; a number of thousands of digits
        raise Unreadable(f"is not JSON: {str(error).split(';')[0]}") from None
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "not an object"
        raise Unreadable(f"is {kind}: write one object {{…}} a line")
    return value


def unstorable(value: Any) -> str:
    """Why a JSON value can't be kept, or "". Reads with a stack of its own, so depth is no risk."""
    pending: list[tuple[Any, int]] = [(value, 1)]
    while pending:
        now, depth = pending.pop()
        if isinstance(now, str):
            if problem := bad_text(now):
                return problem
        elif isinstance(now, float) and not math.isfinite(now):
            return "holds a number that is too large"
        elif isinstance(now, dict | list):
            if depth > DEEPEST:
                return f"is nested deeper than {DEEPEST} levels"
            inner = [*now, *now.values()] if isinstance(now, dict) else now
            pending.extend((each, depth + 1) for each in inner)
    return ""


def bad_text(text: str) -> str:
    """Why a text can't be kept, or ""."""
    if "\x00" in text:
        return "holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8 (half of a surrogate pair)"
    return ""


class Fields:
    """The fields of one line. Each reading notes what is wrong and goes on with a default, so
    that a line is reported with all its problems at once."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.problems: list[Problem] = []
        self.read: set[str] = set()

    def wrong(self, name: str, message: str) -> None:
        self.problems.append(Problem(name[:80], message))

    def get(self, name: str) -> Any:
        """The value, or None where it is missing, null, or can't be kept."""
        self.read.add(name)
        value = self.values.get(name)
        if problem := unstorable(value):
            self.wrong(name, problem)
            return None
        return value

    def text(self, name: str, *, required: bool = True, longest: int = LONGEST_PROMPT) -> str:
        before = len(self.problems)
        value = self.get(name)
        if value is None:
            if required and len(self.problems) == before:
                self.wrong(name, "is missing")
            return ""
        if not isinstance(value, str):
            self.wrong(name, f"must be text, not {kind_of(value)}")
            return ""
        if len(value) > longest:
            self.wrong(name, f"has {len(value):,} characters; at most {longest:,}")
        elif required and not value.strip():
            self.wrong(name, "is empty")
        return value

    def texts(self, name: str, *, required: bool = True) -> list[str]:
        """A list of texts."""
        value = self.get(name)
        if value is None and not required:
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.wrong(name, f"must be a list of texts, not {kind_of(value)}")
            return []
        if required and not value:
            self.wrong(name, "is empty")
        return value

    def key(self, name: str) -> str:
        """An id (text or whole number); "" where the line has none."""
        value = self.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.wrong(name, f"must be text or a whole number, not {kind_of(value)}")
            return ""
        key = str(value).strip()
        if not key:
            self.wrong(name, "is empty")
        elif len(key) > LONGEST_KEY:
            self.wrong(name, f"has {len(key)} characters; at most {LONGEST_KEY}")
        elif not key.isprintable():
            self.wrong(name, "holds a character that can't be printed")
        return key

    def family(self, default: str) -> str:
        found = self.text("family", required=False, longest=LONGEST_FAMILY).strip()
        if not found.isprintable():
            self.wrong("family", "holds a character that can't be printed")
        return found or default

    def level(self) -> int:
        value = self.get("level")
        if value is None:
            return 1
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong("level", f"must be a whole number, not {kind_of(value)}")
        elif not 1 <= value <= HIGHEST_LEVEL:
            self.wrong("level", f"must be between 1 and {HIGHEST_LEVEL:,}")
        else:
            return value
        return 1

    def split(self) -> OpenSplit:
        """The declared split, or "" where the line leaves it to the import."""
        value = self.get("split")
        for split in SPLITS:
            if value == split:
                return split
        if value is not None and value != "":
            self.wrong("split", "must be train, dev or heldout, or left out")
        return ""

    @property
    def ignored(self) -> tuple[str, ...]:
        return tuple(sorted(name[:80] for name in set(self.values) - self.read))


def kind_of(value: Any) -> str:
    """What JSON calls a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    kinds = ((int | float, "a number"), (str, "text"), (list, "a list"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "an object")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")
