"""What the suite pages show: counts of all tasks, and the text of those that are not sealed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Min, Q

from improvement.models import Agent, Splits, Suite, Task
from improvement.models.tasks import TaskQuerySet

MOST_FAMILIES = 100
NAMES = ("split", "family", "level")


@dataclass(slots=True)
class Tally:
    """Tasks of a suite, or of one family of it. `left`: held-out tasks that no gate has used."""

    splits: dict[str, int] = field(default_factory=dict)
    left: int = 0
    low: int = 0
    high: int = 0

    @property
    def tasks(self) -> int:
        return sum(self.splits.values())

    def add(self, row: Mapping[str, int | str]) -> None:
        split, count = str(row["split"]), int(row["n"])
        self.splits[split] = self.splits.get(split, 0) + count
        self.left += int(row["left"])
        self.low = min(self.low or int(row["low"]), int(row["low"]))
        self.high = max(self.high, int(row["high"]))


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """A suite in the list."""

    suite: Suite
    tally: Tally
    families: int
    agents: Sequence[Agent]


def rows_of(suites: Sequence[Suite]) -> list[SuiteRow]:
    """Two queries, whatever the number of suites."""
    tallies: dict[int, Tally] = {suite.pk: Tally() for suite in suites}
    families: dict[int, set[str]] = {suite.pk: set() for suite in suites}
    tasks = Task.objects.filter(suite__in=suites)
    for row in _counted(tasks, "suite", "family"):
        tallies[row["suite"]].add(row)
        families[row["suite"]].add(row["family"])
    agents: dict[int, list[Agent]] = {suite.pk: [] for suite in suites}
    for agent in Agent.objects.filter(suite__in=suites).order_by("name").defer("block_secret"):
        agents[agent.suite_id or 0].append(agent)
    return [
        SuiteRow(suite, tallies[suite.pk], len(families[suite.pk]), agents[suite.pk])
        for suite in suites
    ]


def families_of(suite: Suite) -> dict[str, Tally]:
    """Family → its tasks, by name."""
    found: dict[str, Tally] = {}
    for row in _counted(suite.tasks.all(), "family"):
        found.setdefault(row["family"], Tally()).add(row)
    return found


def total(tallies: Mapping[str, Tally]) -> Tally:
    whole = Tally()
    for tally in tallies.values():
        whole.left += tally.left
        for split, count in tally.splits.items():
            whole.splits[split] = whole.splits.get(split, 0) + count
    return whole


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """What the URL asks for (only what is set), and what of it makes no sense."""

    values: Mapping[str, str]
    wrong: Sequence[str]
    condition: Q

    def apply(self, suite: Suite) -> TaskQuerySet:
        """The tasks that may be shown: never one that is sealed."""
        tasks = Task.objects.filter(suite=suite).visible()
        return tasks.filter(self.condition).defer("reference")


def read(asked: Mapping[str, str]) -> TaskFilter:
    """Unknown names are left alone, wrong values find nothing and are named."""
    values = {name: asked[name].strip()[:60] for name in NAMES if asked.get(name, "").strip()}
    condition, wrong = Q(), []
    for name, value in values.items():
        part = _condition(name, value)
        if part is None:
            wrong.append(f"{name} “{value}”")
        condition &= Q(pk__in=[]) if part is None else part
    return TaskFilter(values, wrong, condition)


def _condition(name: str, value: str) -> Q | None:
    if "\x00" in value:
        return None
    if name == "split":
        return Q(split=value) if value in Splits.values else None
    if name == "level":
        known = value.isascii() and value.isdigit() and int(value[:9]) <= 32_767
        return Q(level=int(value[:9])) if known else None
    return Q(family=value)


def _counted(tasks: TaskQuerySet, *by: str) -> Iterable[Any]:
    unused = Q(split=Splits.HELDOUT, block=None)
    return (
        tasks.order_by(*by)
        .values(*by, "split")
        .annotate(n=Count("id"), left=Count("id", filter=unused), low=Min("level"))
        .annotate(high=Max("level"))
    )
