"""Counting pairs: over all items, by family, and with the missing verdicts read one way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from improvement.evaluation.records import PairedItem
from improvement.evaluation.statistics import paired_interval

Reading = Literal["left out", "against", "in favour"]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of pairs; `both` and `neither` are the ties. `missing` items are in no other count."""

    wins: int
    losses: int
    both: int
    neither: int
    missing: int

    @property
    def ties(self) -> int:
        return self.both + self.neither

    @property
    def n(self) -> int:
        return self.wins + self.losses + self.ties

    @property
    def champion_score(self) -> float:
        """Share that the champion passed; 0.0 without items."""
        return (self.both + self.losses) / self.n if self.n else 0.0

    @property
    def candidate_score(self) -> float:
        """Share that the candidate passed; 0.0 without items."""
        return (self.both + self.wins) / self.n if self.n else 0.0

    @property
    def difference(self) -> float:
        """Candidate − champion; 0.0 without items."""
        return (self.wins - self.losses) / self.n if self.n else 0.0


def tally(items: Sequence[PairedItem], missing: Reading = "left out") -> Tally:
    """Count `items`, each missing verdict read as `missing` says: left out of the counts, as the
    one that speaks against the candidate, or as the one in its favour."""
    counts = Counter(_read(item, missing) for item in items)
    return Tally(
        wins=counts[(False, True)],
        losses=counts[(True, False)],
        both=counts[(True, True)],
        neither=counts[(False, False)],
        missing=counts[None],
    )


def _read(item: PairedItem, missing: Reading) -> tuple[bool, bool] | None:
    champion, candidate = item.champion, item.candidate
    if champion is not None and candidate is not None:
        return champion, candidate
    if missing == "left out":
        return None
    for_candidate = missing == "in favour"
    return (
        (not for_candidate) if champion is None else champion,
        for_candidate if candidate is None else candidate,
    )


def tally_families(items: Sequence[PairedItem], level: float) -> tuple[dict[str, Any], ...]:
    """One row a family, by name: its counts, scores, difference and interval at `level`, ready for
    JSON; `falls` says that the whole interval lies below zero."""
    groups: dict[str, list[PairedItem]] = defaultdict(list)
    for item in items:
        groups[item.family].append(item)
    return tuple(_row(name, tally(groups[name]), level) for name in sorted(groups))


def _row(family: str, count: Tally, level: float) -> dict[str, Any]:
    low, high = paired_interval(count.wins, count.losses, count.n, level)
    return {
        "family": family,
        "n": count.n,
        "wins": count.wins,
        "losses": count.losses,
        "ties": count.ties,
        "missing": count.missing,
        "champion_score": count.champion_score,
        "candidate_score": count.candidate_score,
        "difference": count.difference,
        "interval": [low, high],
        "falls": high < 0.0,
    }
