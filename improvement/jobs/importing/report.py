"""What an import came to, counted while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from improvement.ingest.tasks import Problem
from improvement.models import Splits, Suite

MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class BadLine:
    """One problem of one line."""

    number: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"line {self.number:,}: {self.field}: {self.message}"


@dataclass(slots=True)
class Report:
    """`lines` were read; of them `added` became tasks, `there` were tasks already, `bad` were
    left out (their first 1,000 problems are `problems`). `kept` counts what was added, by (split,
    family); `unverified` of it have no verifier, neither their own nor the suite's."""

    lines: int = 0
    added: int = 0
    there: int = 0
    bad: int = 0
    unverified: int = 0
    problems: list[BadLine] = field(default_factory=list)
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)

    def refuse(self, number: int, problems: Iterable[Problem]) -> None:
        self.bad += 1
        for problem in problems:
            if len(self.problems) < MOST_LISTED:
                self.problems.append(BadLine(number, problem.field, problem.message))

    def as_json(self) -> dict[str, Any]:
        kept = [
            {"split": split, "family": family, "tasks": count}
            for (split, family), count in sorted(self.kept.items())
        ]
        return {
            "lines": self.lines,
            "added": self.added,
            "already_there": self.there,
            "bad": self.bad,
            "problems": [
                {"line": p.number, "field": p.field, "message": p.message}
                for p in sorted(self.problems, key=lambda problem: problem.number)
            ],
            "kept": kept,
            "without_verifier": self.unverified,
            "ignored_fields": dict(self.ignored.most_common(20)),
        }


@dataclass(frozen=True, slots=True)
class Shape:
    """A suite's tasks by split, and its clusters of near-duplicates. `largest` is the size of the
    largest, all of it in `largest_split`."""

    tasks: int
    splits: dict[str, int]
    clusters: int
    largest: int
    largest_split: str

    @property
    def warning(self) -> str:
        """Said where one cluster holds most of the suite; "" elsewhere."""
        if self.tasks < 10 or self.largest * 2 < self.tasks:
            return ""
        return (
            f"{self.largest:,} of {self.tasks:,} tasks are near-duplicates of each other. All of "
            f"them are in one split ({Splits(self.largest_split).label}), so that none of them "
            "leaks into another. If they are different problems in equal words, declare their "
            "split in the file, or bring them as several families with different wording."
        )


def shape_of(suite: Suite) -> Shape:
    """Two queries, whatever the suite's size."""
    tasks = suite.tasks.order_by()
    splits = dict(tasks.values_list("split").annotate(n=Count("id")))
    clusters = tasks.values("cluster", "split").annotate(n=Count("id")).order_by("-n", "cluster")
    largest = clusters.first()
    return Shape(
        tasks=sum(splits.values()),
        splits=splits,
        clusters=tasks.values("cluster").distinct().count(),
        largest=largest["n"] if largest else 0,
        largest_split=largest["split"] if largest else "",
    )
