"""From plain values to JSON: what JSON knows as itself, the rest as `{"$tag": …}`.

Works in the program's own process, on whatever the program returned: exact types only, depth and
size capped, iterators drawn up to a cap. What a hostile program does to this code changes nothing
but its own values.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from math import isfinite
from typing import Any

from improvement.sandbox.inside.plain import (
    BIG,
    EXCEPTIONS,
    FACTORIES,
    ITERATORS,
    MOST_BITS,
    MOST_DEPTH,
    MOST_DIGITS,
    MOST_ITEMS,
    NotPlain,
    TooLarge,
    named,
    plain_zone,
    whole,
)

Keep = Callable[[object], list[Any]]
"""Keeps an object that can't be carried and gives its handle, the payload of `$ref`."""


def encode(value: object, size: int = 1 << 24, keep: Keep | None = None) -> Any:
    """JSON for `value`. NotPlain for anything else than a plain value (unless `keep` takes it),
    TooLarge when it would need about `size` bytes or more."""
    return _Encoder(size, keep).value(value, 0)


class _Encoder:
    """`left` is what may still be written, in about bytes: it also ends a structure that holds
    itself many times over."""

    __slots__ = ("keep", "left")

    def __init__(self, left: int, keep: Keep | None) -> None:
        self.left = left
        self.keep = keep

    def value(self, x: Any, depth: int) -> Any:
        kind = type(x)
        self.spend(1)
        if x is None or kind is bool:
            return x
        if kind is int:
            return x if -BIG < x < BIG else self.big(x)
        if kind is float:
            return x if isfinite(x) else {"$float": repr(x)}
        if kind is str:
            return self.text(x)
        if depth > MOST_DEPTH:
            raise NotPlain(f"a value nested deeper than {MOST_DEPTH} levels")
        if kind is list:
            return [self.value(item, depth + 1) for item in x]
        if kind is dict:
            return self.mapping(x, depth)
        if kind in _TAGGED:
            return _TAGGED[kind](self, x, depth)
        return self.other(x, depth)

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooLarge("a value larger than what is read")

    def big(self, x: int) -> Any:
        self.spend(x.bit_length() // 4)
        return {"$int": hex(x)}

    def text(self, x: str) -> Any:
        self.spend(len(x))
        if not x.isascii():
            try:
                x.encode()
            except UnicodeEncodeError:  # half of a pair: JSON would join two of them
                return {"$str": x.encode("utf-8", "surrogatepass").hex()}
        return x

    def items(self, x: Iterable[Any], depth: int) -> list[Any]:
        return [self.value(item, depth + 1) for item in x]

    def pairs(self, x: dict[Any, Any], depth: int) -> list[list[Any]]:
        return [[self.value(k, depth + 1), self.value(v, depth + 1)] for k, v in x.items()]

    def mapping(self, x: dict[Any, Any], depth: int) -> Any:
        if all(type(key) is str and key.isascii() and key[:1] != "$" for key in x):
            self.spend(sum(map(len, x)))
            return {key: self.value(item, depth + 1) for key, item in x.items()}
        return {"$dict": self.pairs(x, depth)}

    def drawn(self, x: Iterable[Any], depth: int) -> Any:
        found = self.items(islice(x, MOST_ITEMS + 1), depth)
        if len(found) > MOST_ITEMS:
            raise TooLarge(f"an iterator of more than {MOST_ITEMS:,} items")
        return {"$iterator": found}

    def other(self, x: Any, depth: int) -> Any:
        kind = type(x)
        if kind in ITERATORS:
            return self.drawn(x, depth)
        if EXCEPTIONS.get(kind.__name__) is kind:
            return {"$exception": [kind.__name__, self.items(x.args, depth)]}
        if self.keep is None:
            raise NotPlain(f"{named(x)}, which is not a plain value")
        return {"$ref": self.keep(x)}


def _bytes(enc: _Encoder, x: bytes | bytearray, _: int) -> Any:
    enc.spend(2 * len(x))
    return {f"${type(x).__name__}": x.hex()}


def _decimal(enc: _Encoder, x: Decimal, _: int) -> Any:
    reach = max(len(x.as_tuple().digits), abs(x.adjusted())) if x.is_finite() else 0
    if reach > MOST_DIGITS:
        raise TooLarge(f"a Decimal of more than {MOST_DIGITS:,} digits")
    return {"$decimal": enc.text(str(x))}


def _fraction(enc: _Encoder, x: Fraction, depth: int) -> Any:
    if max(x.numerator.bit_length(), x.denominator.bit_length()) > MOST_BITS:
        raise TooLarge(f"a Fraction of more than {MOST_BITS:,} bits")
    return {"$fraction": enc.items((x.numerator, x.denominator), depth)}


def _moment(enc: _Encoder, x: datetime | time, _: int) -> Any:
    if not plain_zone(x):
        raise NotPlain(f"{named(x)} with {named(x.tzinfo)} as its time zone")
    return {f"${type(x).__name__}": enc.text(x.isoformat())}


def _defaultdict(enc: _Encoder, x: defaultdict[Any, Any], depth: int) -> Any:
    made = x.default_factory
    name = next((n for n, factory in FACTORIES.items() if factory is made), None)
    return {"$defaultdict": [name, enc.pairs(x, depth)]}


_TAGGED: dict[type, Callable[[_Encoder, Any, int], Any]] = {
    tuple: lambda enc, x, depth: {"$tuple": enc.items(x, depth)},
    set: lambda enc, x, depth: {"$set": enc.items(x, depth)},
    frozenset: lambda enc, x, depth: {"$frozenset": enc.items(x, depth)},
    bytes: _bytes,
    bytearray: _bytes,
    complex: lambda enc, x, depth: {"$complex": enc.items((x.real, x.imag), depth)},
    range: lambda enc, x, depth: {"$range": enc.items((x.start, x.stop, x.step), depth)},
    Decimal: _decimal,
    Fraction: _fraction,
    datetime: _moment,
    time: _moment,
    date: lambda _enc, x, _depth: {"$date": x.isoformat()},
    timedelta: lambda _enc, x, _depth: {"$timedelta": whole(x)},
    deque: lambda enc, x, depth: {"$deque": [enc.items(x, depth), enc.value(x.maxlen, depth)]},
    OrderedDict: lambda enc, x, depth: {"$ordereddict": enc.pairs(x, depth)},
    Counter: lambda enc, x, depth: {"$counter": enc.pairs(x, depth)},
    defaultdict: _defaultdict,
}
