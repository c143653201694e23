"""The words in which the gate gives its reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from improvement.evaluation.rule import GateRule
from improvement.evaluation.tally import Tally


def shortage(seen: Tally, rule: GateRule) -> str:
    """Why these items cannot carry an answer, or ""."""
    total = seen.n + seen.missing
    if total == 0:
        return "There are no items to compare."
    if seen.missing > rule.max_missing * total:
        return (
            f"{seen.missing} of {total} items lack a verdict, and "
            f"{100 * rule.max_missing:g} % may: repair the verifier and judge them again."
        )
    if seen.n < rule.min_items:
        return f"Only {seen.n} items have both verdicts, and {rule.min_items} are needed."
    return ""


def doubt(seen: Tally, against: Tally, evidence: float, rule: GateRule) -> str:
    """Why the evidence is neither enough to pass nor to fail."""
    if seen.wins + seen.losses == 0:
        return f"Candidate and champion did the same on all {seen.n} items: nothing decides."
    counted = f", {seen.missing} missing counted against it" if seen.missing else ""
    if evidence >= rule.evidence:
        return (
            f"{figures(seen)}{counted}: better, but {100 * against.difference:+.1f} points are "
            f"fewer than the {100 * rule.minimum_difference:g} asked."
        )
    return f"{figures(seen)}{counted}: e = {evidence:.3g}, and {rule.evidence:g} is needed."


def figures(seen: Tally) -> str:
    """The counts that every reason begins with."""
    points = f"{100 * seen.difference:+.1f} points"
    return f"{seen.wins} wins and {seen.losses} losses on {seen.n} items ({points})"


def falling(families: Collection[Mapping[str, object]]) -> str:
    """The families whose whole interval lies below zero, or ""."""
    names = [str(f["family"]) for f in families if f["falls"]]
    return f" Worse in: {', '.join(names)}." if names else ""
