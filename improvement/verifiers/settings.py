"""Reading a verifier's settings: what is unknown or makes no sense is refused by name."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any

from improvement.verifiers.base import SpecError


def only(kind: str, settings: Mapping[str, Any], known: Collection[str]) -> None:
    """SpecError when `settings` has a key that this kind does not know."""
    for name in settings:
        if name not in known:
            has = ", ".join(sorted(known)) or "none"
            raise SpecError(f"verifier {kind} has no setting {name!r}; its settings: {has}")


def quantity(kind: str, name: str, value: object) -> Fraction:
    """A finite number of 0 or more, exactly as it was written."""
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    if not usable or not math.isfinite(value) or value < 0:  # type: ignore[arg-type, operator]
        raise SpecError(f"verifier {kind}: {name} must be a number of 0 or more, not {value!r}")
    return Fraction(repr(value))


def one_of(kind: str, name: str, value: object, allowed: Collection[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        known = ", ".join(allowed)
        raise SpecError(f"verifier {kind}: {name} must be one of {known}; not {value!r}")
    return value
