"""Drafts that are like no other, and bringing them into a suite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from improvement.ingest.tasks import Draft, Line
from improvement.jobs.importing import Report, import_tasks
from improvement.models import Suite

WORDS = ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet", "jetty"]


def problem(number: int) -> str:
    """A prompt that is like no other."""
    first, second, third = (WORDS[number // 10**i % 10] for i in range(3))
    return f"{number} {first} boats carry {second} crates past {third}. Count to {number * 7}."


def draft(number: int = 1, **fields: Any) -> Draft:
    known = {"id": f"t-{number}", "prompt": problem(number), "reference": {"answer": number}}
    return Draft(**({"verifier": {"kind": "exact"}} | known | fields))


def bring(drafts: Iterable[Draft], suite: Suite | None = None) -> tuple[Suite, Report]:
    suite = suite or Suite.objects.get_or_create(name="boats")[0]
    return suite, import_tasks(suite, [Line(i, d) for i, d in enumerate(drafts, 1)])


def said(report: Report) -> list[tuple[int, str, str]]:
    return [(p.number, p.field, p.message) for p in report.problems]
