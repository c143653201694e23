"""What counts as a plain value, in one place for both directions of the wire.

Only exact types: an object of a subclass (an int that equals everything) is never plain.
"""

from __future__ import annotations

import builtins
import itertools
from datetime import datetime, time, timedelta, timezone
from types import GeneratorType

MOST_DEPTH = 200
MOST_ITEMS = 100_000  # of a generator or another iterator
MOST_DIGITS = 20_000  # of a Decimal, and of its exponent's reach
MOST_BITS = 65_536  # of a part of a Fraction: reducing it takes time that grows with the square
BIG = 1 << 63  # from here on an int is sent in base 16, which is quick to read


class NotPlain(TypeError):
    """The value can't be carried; the message says what it is ("a MyInt, …")."""


class TooLarge(ValueError):
    """The value is plain and larger than what is read."""


class Malformed(ValueError):
    """Bytes or JSON that no encoder here has written."""


FACTORIES = {kind.__name__: kind for kind in (int, float, str, bool, list, dict, set, tuple)}
"""What a defaultdict may make. Any other factory (a lambda) is dropped on the way."""

EXCEPTIONS: dict[str, type[Exception]] = {
    name: found
    for name, found in vars(builtins).items()
    if isinstance(found, type)
    and issubclass(found, Exception)
    and name == found.__name__
    and not issubclass(found, BaseExceptionGroup)
}

_EMPTY: dict[object, object] = {}
_DRAWN: tuple[object, ...] = (
    *(iter(()), iter([]), iter(set()), iter(""), iter("é"), iter(b""), iter(bytearray())),
    *(iter(range(0)), iter(range(1 << 70)), iter(_EMPTY), reversed([]), reversed(_EMPTY)),
    *(_EMPTY.keys(), _EMPTY.values(), _EMPTY.items()),
    *(iter(_EMPTY.values()), iter(_EMPTY.items())),
    *(reversed(_EMPTY.values()), reversed(_EMPTY.items())),
)
ITERATORS: frozenset[type] = frozenset(
    [
        *(GeneratorType, map, filter, zip, enumerate, reversed),
        *map(type, _DRAWN),
        *(found for found in vars(itertools).values() if isinstance(found, type)),
    ]
)


def named(value: object) -> str:
    """ "a MyInt", "an Enum": the kind of a value for a message."""
    name = str(type(value).__name__)[:60]
    return f"{'an' if name[:1].lower() in set('aeiou') else 'a'} {name}"


def plain_zone(value: datetime | time) -> bool:
    return value.tzinfo is None or type(value.tzinfo) is timezone


def whole(delta: timedelta) -> list[int]:
    return [delta.days, delta.seconds, delta.microseconds]
