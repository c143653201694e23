"""From JSON of the tagged encoding to plain values of exact types. Strict, never evaluates.

The bytes may be forged by a hostile program. So nothing here takes more than about linear time:
int text is base 16, fractions and decimals are capped, keys that all hash alike are refused.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from improvement.sandbox.inside.plain import (
    EXCEPTIONS,
    FACTORIES,
    MOST_BITS,
    MOST_DEPTH,
    MOST_DIGITS,
    Malformed,
)

MOST_ALIKE = 100  # keys of one set or dictionary whose hashes repeat another's
Find = Callable[[list[Any]], object]
"""From the payload of `$ref` to an object; Malformed when there is none."""


def decode(tree: Any, find: Find | None = None) -> Any:
    """The value of tagged JSON. Malformed for anything that `encode` would not have written."""
    try:
        return _Decoder(find).value(tree, 0)
    except Malformed:
        raise
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise Malformed(f"{type(error).__name__}: {str(error)[:100]}") from None


class _Decoder:
    __slots__ = ("find",)

    def __init__(self, find: Find | None) -> None:
        self.find = find

    def value(self, x: Any, depth: int) -> Any:
        kind = type(x)
        if x is None or kind is str or kind is int or kind is bool or kind is float:
            return x
        if depth > 3 * MOST_DEPTH:
            raise Malformed("nested too deeply")
        if kind is list:
            return [self.value(item, depth + 1) for item in x]
        if kind is not dict:
            raise Malformed(f"{kind.__name__} is not JSON")
        if len(x) == 1:
            ((tag, inner),) = x.items()
            if tag[:1] == "$":
                return self.tagged(tag, inner, depth + 1)
        return {plain_key(key): self.value(item, depth + 1) for key, item in x.items()}

    def tagged(self, tag: str, inner: Any, depth: int) -> Any:
        if tag == "$ref" and self.find is not None:
            return self.find(self.list_of(inner))
        if (of_text := _TEXT.get(tag)) is not None:
            if type(inner) is not str:
                raise Malformed(f"{tag} holds text")
            return of_text(inner)
        if (of_list := _LIST.get(tag)) is not None:
            return of_list(self, self.list_of(inner), depth)
        raise Malformed(f"unknown tag {tag[:20]!r}")

    def list_of(self, inner: Any) -> list[Any]:
        if type(inner) is not list:
            raise Malformed("a tag holds no list")
        return inner

    def items(self, inner: list[Any], depth: int) -> list[Any]:
        return [self.value(item, depth) for item in inner]

    def keys(self, inner: list[Any], depth: int) -> list[Any]:
        found = self.items(inner, depth)
        if len(found) - len({hash(key) for key in found}) > MOST_ALIKE:
            raise Malformed("too many keys with the same hash")
        return found

    def pairs(self, inner: Any, depth: int) -> list[tuple[Any, Any]]:
        held = self.list_of(inner)
        if not all(type(pair) is list and len(pair) == 2 for pair in held):
            raise Malformed("pairs expected")
        keys = self.keys([pair[0] for pair in held], depth)
        return list(zip(keys, (self.value(pair[1], depth) for pair in held), strict=True))


def plain_key(key: str) -> str:
    if key[:1] == "$":
        raise Malformed("a tag among other keys")
    return key


def _int(text: str) -> int:
    return int(text, 16)


def _float(text: str) -> float:
    return {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}[text]


def _decimal(text: str) -> Decimal:
    if len(text) > 2 * MOST_DIGITS:
        raise Malformed("a Decimal of too many digits")
    found = Decimal(text)
    if found.is_finite() and abs(found.adjusted()) > MOST_DIGITS:
        raise Malformed("a Decimal of too many digits")
    return found


def _numbers(inner: list[Any], count: int, kind: type) -> list[Any]:
    if len(inner) != count or not all(type(item) is kind for item in inner):
        raise Malformed(f"{count} numbers expected")
    return inner


def _complex(dec: _Decoder, inner: list[Any], depth: int) -> complex:
    return complex(*_numbers(dec.items(inner, depth), 2, float))


def _range(dec: _Decoder, inner: list[Any], depth: int) -> range:
    return range(*_numbers(dec.items(inner, depth), 3, int))


def _fraction(dec: _Decoder, inner: list[Any], depth: int) -> Fraction:
    above, below = _numbers(dec.items(inner, depth), 2, int)
    if max(above.bit_length(), below.bit_length()) > MOST_BITS:
        raise Malformed("a Fraction of too many bits")
    return Fraction(above, below)


def _deque(dec: _Decoder, inner: list[Any], depth: int) -> deque[Any]:
    held, most = inner
    return deque(dec.items(dec.list_of(held), depth), dec.value(most, depth))


def _defaultdict(dec: _Decoder, inner: list[Any], depth: int) -> defaultdict[Any, Any]:
    name, held = inner
    return defaultdict(None if name is None else FACTORIES[name], dec.pairs(held, depth))


def _counter(dec: _Decoder, inner: list[Any], depth: int) -> Counter[Any]:
    return Counter(dict(dec.pairs(inner, depth)))


def _exception(dec: _Decoder, inner: list[Any], depth: int) -> Exception:
    name, held = inner
    args = dec.items(dec.list_of(held), depth)
    made: Exception = EXCEPTIONS[name].__new__(EXCEPTIONS[name], *args)
    made.args = tuple(args)
    return made


_TEXT: dict[str, Callable[[str], Any]] = {
    "$int": _int,
    "$float": _float,
    "$str": lambda text: bytes.fromhex(text).decode("utf-8", "surrogatepass"),
    "$bytes": bytes.fromhex,
    "$bytearray": bytearray.fromhex,
    "$decimal": _decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
}
_LIST: dict[str, Callable[[_Decoder, list[Any], int], Any]] = {
    "$tuple": lambda dec, inner, depth: tuple(dec.items(inner, depth)),
    "$set": lambda dec, inner, depth: set(dec.keys(inner, depth)),
    "$frozenset": lambda dec, inner, depth: frozenset(dec.keys(inner, depth)),
    "$iterator": lambda dec, inner, depth: iter(dec.items(inner, depth)),
    "$dict": lambda dec, inner, depth: dict(dec.pairs(inner, depth)),
    "$ordereddict": lambda dec, inner, depth: OrderedDict(dec.pairs(inner, depth)),
    "$timedelta": lambda _dec, inner, _depth: timedelta(*_numbers(inner, 3, int)),
    "$complex": _complex,
    "$range": _range,
    "$fraction": _fraction,
    "$deque": _deque,
    "$defaultdict": _defaultdict,
    "$counter": _counter,
    "$exception": _exception,
}
