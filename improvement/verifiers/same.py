"""Whether a value that a program returned is the expected one, by exact type and value.

Both sides are plain values of exact types (see the sandbox's tagged encoding): nothing in them can
answer for itself whether it is equal. bool is not int, int is not float, list is not tuple; NaN
equals an expected NaN. No recursion: a forged value may be nested deeply.
"""

from __future__ import annotations

import cmath
import copy
import math
from collections import OrderedDict, deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal

Types = Literal["exact", "value"]
_LIST_ITERATOR: Any = type(iter([]))
_NUMBERS = (int, float)
_MOST_KEY_DEPTH = 50


class _Unequal(Exception):
    pass


def same(expected: Any, found: Any, types: Types = "exact", tolerance: float = 0.0) -> bool:
    """`types` "value": int and float by value, list and tuple alike, every kind of dict alike;
    bool is still no number. `tolerance` is absolute or relative, for floats (in keys: none)."""
    waiting = [(expected, found)]
    try:
        while waiting:
            waiting += _inner(*waiting.pop(), types == "exact", tolerance)
    except _Unequal:
        return False
    return True


def _inner(e: Any, f: Any, exact: bool, tolerance: float) -> Iterator[tuple[Any, Any]]:
    """The pairs inside that must be the same too; _Unequal when these two are not already."""
    if exact and type(e) is not type(f):
        raise _Unequal
    if isinstance(e, dict) and isinstance(f, dict):
        yield from _entries(e, f, exact)
    elif isinstance(e, set | frozenset) and type(e) is type(f):
        _require({_key(x, exact) for x in e} == {_key(x, exact) for x in f})
    elif isinstance(e, list | tuple) and isinstance(f, list | tuple):
        yield from _items(e, f)
    elif isinstance(e, deque) and isinstance(f, deque):
        _require(e.maxlen == f.maxlen or not exact)
        yield from _items(e, f)
    elif type(e) is type(f) is _LIST_ITERATOR:
        yield list(copy.copy(e)), list(copy.copy(f))
    elif isinstance(e, BaseException) and type(e) is type(f):
        yield e.args, f.args
    else:
        _require(_alike(e, f, exact, tolerance))


def _require(truth: bool) -> None:
    if not truth:
        raise _Unequal


def _items(e: Any, f: Any) -> Iterator[tuple[Any, Any]]:
    _require(len(e) == len(f))
    return zip(e, f, strict=True)


def _entries(e: dict[Any, Any], f: dict[Any, Any], exact: bool) -> Iterator[tuple[Any, Any]]:
    theirs = {_key(key, exact): value for key, value in f.items()}
    ours = {_key(key, exact): value for key, value in e.items()}
    _require(len(e) == len(f) and ours.keys() == theirs.keys())
    if exact and isinstance(e, OrderedDict):
        _require(list(ours) == list(theirs))
    return ((value, theirs[key]) for key, value in ours.items())


def _key(x: Any, exact: bool, depth: int = 0) -> Any:
    """Something hashable that is equal for the same keys alone: 1, 1.0 and True are three."""
    if depth > _MOST_KEY_DEPTH:
        raise _Unequal
    if isinstance(x, tuple | frozenset):
        return type(x), type(x)(_key(y, exact, depth + 1) for y in x)
    if x != x:
        return type(x), "not a number"
    return (float if not exact and type(x) is int else type(x)), x


def _alike(e: Any, f: Any, exact: bool, tolerance: float) -> bool:
    numbers = type(e) in _NUMBERS and type(f) in _NUMBERS
    if type(e) is not type(f) and (exact or not numbers):
        return False
    if float in (type(e), type(f)) and numbers:
        return _close(e, f, tolerance)
    if type(e) is complex:
        return e == f or cmath.isclose(e, f, rel_tol=tolerance, abs_tol=tolerance)
    if type(e) is Decimal and (e.is_nan() or f.is_nan()):
        return bool(e.is_nan() and f.is_nan())
    return bool(e == f)


def _close(e: float, f: float, tolerance: float) -> bool:
    if e == f or (e != e and f != f):
        return True
    try:
        return tolerance > 0 and math.isclose(e, f, rel_tol=tolerance, abs_tol=tolerance)
    except OverflowError:  # an int that no float can hold
        return False
