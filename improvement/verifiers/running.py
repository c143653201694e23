"""What the verifiers that run programs share: limits, and plain words for how a program ended."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from improvement.sandbox.records import Limits, Outcome
from improvement.verifiers.base import SpecError, shown

SHOWN_PRINTED = 1_000
LIMITS = {"seconds": (0.05, 120.0), "call_seconds": (0.05, 60.0), "memory_mb": (32, 8192)}


class BadReference(ValueError):
    """A task's reference makes no sense; the message names the field."""


def limits(settings: Mapping[str, Any], kind: str) -> Limits:
    """The sandbox's limits from the setting `limits`; SpecError names one that is wrong."""
    asked = settings.get("limits", {})
    if not isinstance(asked, Mapping) or set(asked) - set(LIMITS):
        raise SpecError(f"verifier {kind}: limits holds {', '.join(LIMITS)} and nothing else")
    for name, value in asked.items():
        low, high = LIMITS[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise SpecError(f"verifier {kind}: limits.{name} is a number from {low} to {high}")
    usual = Limits()
    seconds = float(asked.get("seconds", usual.seconds))
    return Limits(
        seconds=seconds,
        call_seconds=min(seconds, float(asked.get("call_seconds", usual.call_seconds))),
        memory=int(asked["memory_mb"] * (1 << 20)) if "memory_mb" in asked else usual.memory,
    )


def flag(settings: Mapping[str, Any], name: str, kind: str, usual: bool) -> bool:
    value = settings.get(name, usual)
    if not isinstance(value, bool):
        raise SpecError(f"verifier {kind}: {name} is true or false")
    return value


def text_of(reference: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
    """A field of a reference that holds text; BadReference when it does not."""
    value = reference.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise BadReference(f"{name} must be text")
    return value


def entry_point(reference: Mapping[str, Any]) -> str:
    name = text_of(reference, "entry_point", needed=True)
    if not name.isidentifier():
        raise BadReference("entry_point must be the name of a function")
    return name


class _Brief(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 8
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 100
        self.maxdeque = self.maxarray = 100
        self.maxstring = self.maxother = 1_000
        self.maxlong = 200

    def repr_int(self, x: int, level: int) -> str:
        bits = x.bit_length()
        return super().repr_int(x, level) if bits < 10_000 else f"an int of {bits:,} bits"


_BRIEF = _Brief()


def value_shown(value: object) -> str:
    """A plain value in a few words, whatever its size."""
    return shown(_BRIEF.repr(value))


def ending(outcome: Outcome, bounds: Limits) -> str:
    """How a program ended, in plain words."""
    error = shown(outcome.error)
    words = {
        "time": f"it took longer than {bounds.call_seconds:g} s for a call, "
        f"or {bounds.seconds:g} s for all",
        "memory": f"it needed more than {bounds.memory >> 20:,} MB of memory",
        "output": f"it {error}" if error else f"it printed more than {bounds.output:,} bytes",
        "exit": "it left before it had answered (sys.exit or os._exit)",
        "crash": f"it crashed: {error or 'no reason given'}",
        "exception": f"it raised {error or 'an exception'}",
        "ok": "it ran to its end",
    }
    return words[outcome.ended]


def run_evidence(outcome: Outcome) -> dict[str, Any]:
    """What a run adds to the evidence."""
    printed = shown(outcome.printed[:SHOWN_PRINTED])
    ran = {"ended": outcome.ended, "wall": outcome.wall, "ran_ms": round(outcome.milliseconds, 1)}
    return {**ran, "printed": printed} if printed else ran
