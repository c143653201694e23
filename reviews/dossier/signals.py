"""What is risky: the collapse signals of a candidate beside generation 0 and the champion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from improvement.collapse.limits import Limits
from improvement.models import Candidate, Signal, Warning

WHAT: Mapping[str, str] = {
    "pass@1": "share of attempts that pass",
    "token entropy": "how undecided it is at each token, among correct answers",
    "distinct-2": "variety of correct answers to one task",
    "correct length": "tokens in a correct answer",
    "length": "tokens in an attempt",
    "clipped share": "attempts cut off at the length limit",
    "unjudged share": "attempts without a verdict",
    "self-generated share": "training draws from the agent's own work",
}


def what(name: str) -> str:
    """A signal in a few words."""
    if name.startswith("pass@") and name not in WHAT:
        return f"share of tasks solved by at least one of {name[5:]} attempts"
    return WHAT.get(name, "")


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One signal. Bounds are None where no limit applies on that side."""

    name: str
    what: str
    own: Signal
    base: Signal | None
    champion: Signal | None
    lower: float | None
    upper: float | None
    warnings: Sequence[Warning]

    @property
    def level(self) -> str:
        """ "red", "amber" or "" for within bounds."""
        levels = {warning.level for warning in self.warnings}
        return "red" if "red" in levels else "amber" if levels else ""


def bounds(
    name: str, base: float | None, limits: Limits | None = None
) -> tuple[float | None, float | None]:
    """The values beyond which a change from `base` warns (a change within noise never does)."""
    limits = limits or Limits()
    if name == "self-generated share":
        return None, limits.self_generated
    if name == "unjudged share":
        return None, limits.unjudged
    if base is None:
        return None, None
    if name.startswith("pass@"):
        return base, None
    if name == "clipped share":
        return None, base + limits.clipped
    relative: dict[str, tuple[float | None, float | None]] = {
        "token entropy": (limits.entropy, None),
        "distinct-2": (1 - limits.diversity, 1 + limits.diversity),
        "correct length": (1 - limits.length, 1 + limits.length),
        "length": (None, 1 + limits.length),
    }
    lower, upper = relative.get(name, (None, None))
    return lower and lower * base, upper and upper * base


def signal_rows(
    candidate: Candidate, base: Candidate | None, champion: Candidate | None
) -> list[SignalRow]:
    """Every signal of `candidate`, those with a warning first."""
    sides = [side.pk for side in (candidate, base, champion) if side]
    found = {(s.candidate_id, s.name): s for s in Signal.objects.filter(candidate__in=sides)}
    warnings = list(candidate.warnings.all())
    rows = []
    for (owner, name), own in sorted(found.items(), key=lambda pair: pair[0][1]):
        if owner != candidate.pk:
            continue
        first = found.get((base.pk, name)) if base else None
        lower, upper = bounds(name, first.value if first else None)
        rows.append(
            SignalRow(
                name=name,
                what=what(name),
                own=own,
                base=first,
                champion=found.get((champion.pk, name)) if champion else None,
                lower=lower,
                upper=upper,
                warnings=[w for w in warnings if w.signal == name],
            )
        )
    return sorted(rows, key=lambda row: ("red", "amber", "").index(row.level))
