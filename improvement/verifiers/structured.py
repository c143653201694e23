"""Reading JSON that a model wrote: strictly, and within limits that keep every later step quick.

Refused, each with its reason: text that is not JSON, a key given twice, NaN and Infinity, numbers
beyond 300 digits or beyond a float, more than 64 levels, more than 20,000 values, text that is not
valid UTF-8.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, NoReturn

MOST_LEVELS = 64
MOST_VALUES = 20_000
MOST_DIGITS = 300


class NotReadable(ValueError):
    """The text is not JSON that is read; the message says why, in words for evidence."""


def read_json(text: str) -> Any:
    """The value of a text that is wholly JSON; NotReadable says why it is not."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        raise NotReadable(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise NotReadable(f"it has more than {MOST_LEVELS} levels") from None
    _within_limits(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise NotReadable(f"the key {twice[:80]!a} is given twice")
    return found


def _constant(name: str) -> NoReturn:
    raise NotReadable(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise NotReadable(f"a number has more than {MOST_DIGITS} digits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise NotReadable("a number is too large")
    return value


def _within_limits(value: Any) -> None:
    here, values = [value], 0
    for _ in range(MOST_LEVELS + 1):
        values += len(here)
        if values > MOST_VALUES:
            raise NotReadable(f"it has more than {MOST_VALUES:,} values")
        texts = [one for one in here if isinstance(one, str)]
        texts += [key for one in here if isinstance(one, dict) for key in one]
        if not all(map(_is_utf8, texts)):
            raise NotReadable("it holds text that is not valid UTF-8")
        here = [part for one in here for part in parts(one)]
        if not here:
            return
    raise NotReadable(f"it has more than {MOST_LEVELS} levels")


def parts(value: Any) -> list[Any]:
    """The values that stand directly in an object or a list."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
