"""The filters of the trajectories list: the query string in, a queryset out.

Only the names below are read and each maps to one fixed lookup, so that no parameter can reach
another column. A value that can't be right finds nothing and is named on the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from improvement.models import Answers, Purposes, Splits, Trajectory
from improvement.models.trajectories import TrajectoryQuerySet

OUTCOMES = (
    ("answered", "answered"),
    ("turns_exhausted", "out of turns"),
    ("environment_error", "environment error"),
)
CHOICES: Mapping[str, Sequence[tuple[str, str]]] = {
    "answer": Answers.choices,
    "split": Splits.choices,
    "purpose": Purposes.choices,
    "outcome": OUTCOMES,
}
TEXTS: Mapping[str, str] = {"agent": "agent__name", "family": "family", "task": "task__key"}
NUMBERS: Mapping[str, str] = {"level": "level", "run": "run_id"}
NAMES = (*TEXTS, "candidate", *CHOICES, *NUMBERS)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for, by name (only what is set), and what of it makes no sense."""

    values: Mapping[str, str]
    wrong: Sequence[str]
    condition: Q

    def apply(self) -> TrajectoryQuerySet:
        rows = Trajectory.objects.for_list().select_related("candidate__agent")
        unread = ("sampling", "task__reference", "candidate__bundle", "candidate__training")
        return rows.defer(*unread).filter(self.condition)


def read(asked: Mapping[str, str]) -> Filters:
    """Filters from a query string; unknown names are left alone, wrong values find nothing."""
    values = {name: asked[name].strip()[:120] for name in NAMES if asked.get(name, "").strip()}
    condition, wrong = Q(), []
    for name, value in values.items():
        part = None if "\x00" in value else _condition(name, value)
        if part is None:
            wrong.append(f"{name} “{value}”")
        condition &= part if part is not None else Q(pk__in=[])
    return Filters(values, wrong, condition)


def _condition(name: str, value: str) -> Q | None:
    if name in TEXTS:
        return Q(**{TEXTS[name]: value})
    if name in NUMBERS:
        return Q(**{NUMBERS[name]: int(value)}) if _is_number(value) else None
    if name == "candidate":
        return _candidate(value)
    return Q(**{name: value}) if value in dict(CHOICES[name]) else None


def _candidate(value: str) -> Q | None:
    """`till-3` as people write it, or the candidate's id."""
    if _is_number(value):
        return Q(candidate_id=int(value))
    agent, _, number = value.rpartition("-")
    if not agent or not _is_number(number):
        return None
    return Q(candidate__agent__name=agent, candidate__number=int(number))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:20]) < 2**31
