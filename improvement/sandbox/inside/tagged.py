"""The tagged encoding: plain values as JSON bytes and back, the same on both sides of the wall.

JSON for None, bool, int, float, str, list and dictionaries with text keys. `{"$tuple": […]}` and
other tags for tuple, set, frozenset, bytes, bytearray, complex, range, Decimal, Fraction, date,
time, datetime, timedelta, deque, OrderedDict, Counter, defaultdict, other dictionaries, NaN and
infinities, ints from 2**63 on, text with lone surrogates, exceptions that Python defines, and
iterators (drawn; they arrive as an iterator over a list). Never anything else, never a subclass.
"""

from __future__ import annotations

import json
from typing import Any

from improvement.sandbox.inside.decoding import Find, decode
from improvement.sandbox.inside.encoding import Keep, encode
from improvement.sandbox.inside.plain import Malformed, NotPlain, TooLarge

__all__ = ["Find", "Keep", "Malformed", "NotPlain", "TooLarge"]
__all__ += ["decode", "dumps", "encode", "loads", "parsed", "written"]


def dumps(value: object, size: int = 1 << 24, keep: Keep | None = None) -> bytes:
    """The bytes of a value. TooLarge when there are more than `size`; NotPlain: see `encode`."""
    found = written(encode(value, size, keep))
    if len(found) > size:
        raise TooLarge(f"a value of {len(found):,} bytes; {size:,} are read")
    return found


def loads(data: bytes, find: Find | None = None) -> Any:
    """The value of some bytes. Malformed when no `dumps` has written them."""
    return decode(parsed(data), find)


def written(tree: Any) -> bytes:
    return json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()


def parsed(data: bytes) -> Any:
    """JSON, without Python's own extensions to it. Malformed for anything else."""
    try:
        return json.loads(data.decode("ascii"), parse_constant=_refuse)
    except Malformed:
        raise
    except (RecursionError, ValueError) as error:
        raise Malformed(f"not JSON: {str(error)[:100]}") from None


def _refuse(name: str) -> None:
    raise Malformed(f"{name} is not JSON")
