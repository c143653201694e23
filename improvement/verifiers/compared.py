"""Comparing a JSON value with reference values, leaf by leaf, exactly or within a tolerance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

from improvement.verifiers.paths import (
    ABSENT,
    Path,
    leaves,
    lengths,
    look_up,
    plain_leaves,
    written,
)
from improvement.verifiers.text import normalise

Setting = TypeVar("Setting")


class Difference(NamedTuple):
    """One field that is wrong."""

    field: str
    expected: Any
    found: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How fields are compared. A path of a setting covers all below it; in it "*" is any one
    part, and "**" alone every field. Of several that fit, the longest counts."""

    tolerance: Mapping[Path, Fraction]
    normalise: Mapping[Path, tuple[str, ...]]
    ignore: tuple[Path, ...] = ()
    refuse_extra: bool = False

    def ignored(self, path: Path) -> bool:
        return any(_covers(pattern, path) for pattern in self.ignore)


def differences(how: Comparison, wanted: Any, found: Any) -> tuple[int, list[Difference]]:
    """(how many fields are right, those that are wrong)."""
    expected = {path: value for path, value in leaves(wanted) if not how.ignored(path)}
    wrong = [d for path, value in expected.items() for d in _differs(how, path, value, found)]
    right = len(expected) - len(wrong)
    wrong += _wrong_lengths(how, wanted, found)
    if how.refuse_extra:
        wrong += _extra(how, wanted, set(expected), found)
    return right, wrong


def _differs(how: Comparison, path: Path, value: Any, whole: Any) -> Iterator[Difference]:
    found = look_up(whole, path)
    if found is ABSENT:
        yield Difference(written(path), value, None, "missing")
    elif not _equal(how, path, value, found):
        alike = type(value) is type(found)
        why = "another value" if alike else f"{_name(found)} instead of {_name(value)}"
        yield Difference(written(path), value, found, why)


def _equal(how: Comparison, path: Path, expected: Any, found: Any) -> bool:
    tolerance = _setting(how.tolerance, path)
    if tolerance is not None and _is_number(expected) and _is_number(found):
        return abs(_exactly(expected) - _exactly(found)) <= tolerance
    if type(expected) is not type(found):
        return False
    steps = _setting(how.normalise, path)
    if steps and isinstance(expected, str):
        return normalise(steps, expected) == normalise(steps, found)
    return bool(expected == found)


def _wrong_lengths(how: Comparison, wanted: Any, whole: Any) -> list[Difference]:
    """Lists that are longer than they should be, or objects with the keys 0, 1, 2 in their place;
    what is missing is named by its own path."""
    wrong = []
    for path, length in lengths(wanted):
        found = look_up(whole, path)
        if isinstance(found, dict) and length and not how.ignored(path):
            wrong.append(Difference(written(path), length, None, "an object instead of a list"))
        if isinstance(found, list) and len(found) > length > 0 and not how.ignored(path):
            wrong.append(Difference(written(path), length, len(found), "too many items"))
    return wrong


def _extra(how: Comparison, wanted: Any, known: set[Path], whole: Any) -> list[Difference]:
    """Fields of the answer that the reference does not have (nor a part of theirs: a scalar that
    should have been an object is named already)."""
    above = {path[:end] for path, _ in leaves(wanted) for end in range(len(path) + 1)}
    extra = []
    for path, value in plain_leaves(whole):
        inside = any(path[:end] in known for end in range(len(path) + 1))
        if path not in above and not inside and not how.ignored(path):
            extra.append(Difference(written(path), None, value, "not expected"))
    return extra


def _setting(settings: Mapping[Path, Setting], path: Path) -> Setting | None:
    fitting = [pattern for pattern in settings if _covers(pattern, path)]
    return settings[max(fitting, key=_weight)] if fitting else None


def _weight(pattern: Path) -> tuple[int, int]:
    return (0, 0) if pattern == ("**",) else (len(pattern), -pattern.count("*"))


def _covers(pattern: Path, path: Path) -> bool:
    if pattern == ("**",):
        return True
    fits = (p in ("*", q) for p, q in zip(pattern, path, strict=False))
    return len(pattern) <= len(path) and all(fits)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _exactly(value: float) -> Fraction:
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def _name(value: Any) -> str:
    names = {bool: "a truth value", int: "a whole number", float: "a decimal number", str: "text"}
    names |= {dict: "an object", list: "a list", type(None): "null"}
    return names.get(type(value), "something else")
