"""The rules by which a change becomes amber or red (docs/signals.md says why these).

Becoming sure of the right answer is what learning looks like, so low entropy or diversity alone is
amber; red, which holds the loop, needs a sign that ability was lost with it.
"""

from __future__ import annotations

from improvement.collapse.limits import Limits
from improvement.collapse.signals import Change

Changes = dict[str, Change]
Row = tuple[str, bool, float]
"""signal, red?, the value that was the limit."""


def narrowing(changes: Changes, limits: Limits) -> list[Row]:
    """Entropy and diversity among correct answers. Red: either of them fell while pass@k fell, or
    both fell and nothing was earned by it."""
    entropy, diversity = changes.get("token entropy"), changes.get("distinct-2")
    sure_of_itself = _below(entropy, limits.entropy)
    alike = _below(diversity, 1 - limits.diversity)
    scattered = _above(diversity, 1 + limits.diversity)
    both = sure_of_itself and alike
    red = _fell(changes[f"pass@{limits.k}"]) or (both and not _earned(changes, limits))
    rows: list[Row] = []
    if entropy and sure_of_itself:
        rows.append(("token entropy", red, limits.entropy * entropy.baseline))
    if diversity and alike:
        rows.append(("distinct-2", red, (1 - limits.diversity) * diversity.baseline))
    if diversity and scattered:
        rows.append(("distinct-2", False, (1 + limits.diversity) * diversity.baseline))
    return rows


def coverage(changes: Changes, limits: Limits) -> list[Row]:
    """pass@k fell. Red, at 99 %, when pass@1 did not fall with it: the agent bets on fewer ways."""
    signal = f"pass@{limits.k}"
    change = changes[signal]
    red = change.wide[1] < 0.0 and changes["pass@1"].difference >= 0.0
    return [(signal, red, change.baseline)] if _fell(change) else []


def ability(changes: Changes, against: str) -> list[Row]:
    """pass@1 fell. Red, at 99 %, when it is generation 0 that was better."""
    change = changes["pass@1"]
    red = against == "generation 0" and change.wide[1] < 0.0
    return [("pass@1", red, change.baseline)] if _fell(change) else []


def clipping(changes: Changes, limits: Limits) -> list[Row]:
    """More answers run into the length limit. Red when pass@1 fell with it."""
    change = changes["clipped share"]
    if change.difference <= limits.clipped or change.interval[0] <= 0.0:
        return []
    return [("clipped share", _fell(changes["pass@1"]), change.baseline + limits.clipped)]


def length(changes: Changes, limits: Limits) -> list[Row]:
    """Length of correct answers, either way; over all attempts only growth counts, since a
    beginner's failures ramble and learning ends that."""
    rows: list[Row] = []
    right, every = changes.get("correct length"), changes["length"]
    if right and _below(right, 1 - limits.length):
        rows.append(("correct length", False, (1 - limits.length) * right.baseline))
    if right and _above(right, 1 + limits.length):
        rows.append(("correct length", False, (1 + limits.length) * right.baseline))
    if _above(every, 1 + limits.length):
        rows.append(("length", False, (1 + limits.length) * every.baseline))
    return rows


def _below(change: Change | None, bound: float) -> bool:
    """The ratio is under `bound`, and 95 % sure to be under 1."""
    if change is None or change.ratio is None:
        return False
    return change.ratio < bound and change.ratio_interval[1] < 1.0


def _above(change: Change | None, bound: float) -> bool:
    """The ratio is over `bound`, and 95 % sure to be over 1."""
    if change is None or change.ratio is None:
        return False
    return change.ratio > bound and change.ratio_interval[0] > 1.0


def _fell(change: Change) -> bool:
    """95 % sure to be below the baseline."""
    return change.interval[1] < 0.0


def _earned(changes: Changes, limits: Limits) -> bool:
    """pass@1 or pass@k rose for sure, or pass@k is so high that there is nothing to gain."""
    coverage = changes[f"pass@{limits.k}"]
    rose = changes["pass@1"].interval[0] > 0.0 or coverage.interval[0] > 0.0
    return rose or coverage.value >= limits.ceiling
