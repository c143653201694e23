"""Bringing tasks into a suite: `import_tasks` keeps the good lines, and names the bad ones.

Lines are kept in batches, each in one transaction: an import that was killed is simply run
again. What is there already is left alone, so running twice changes nothing. Two imports into one
suite take turns, batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction

from improvement.ingest.tasks import Draft, Line, Problem
from improvement.jobs.importing.already import Already
from improvement.jobs.importing.clusters import Clusters, Place, Sketch
from improvement.jobs.importing.report import BadLine, Report, Shape, shape_of
from improvement.jobs.workshop import workshop
from improvement.models import SealedAnswer, Splits, Suite, Task
from improvement.verifiers.base import SpecError
from improvement.verifiers.build import build

__all__ = ["BadLine", "Report", "Shape", "import_tasks", "shape_of", "verifier_problem"]

BATCH = 500
Watch = Callable[[Report], object]


def import_tasks(suite: Suite, lines: Iterable[Line], watch: Watch | None = None) -> Report:
    """Keep the drafts among `lines` as tasks of `suite`; `watch` sees the report batch by batch."""
    report = Report()
    for batch in _batches(lines):
        drafts = _read(batch, report)
        with transaction.atomic():
            Suite.objects.select_for_update().get(pk=suite.pk)
            _keep(suite, drafts, report)
        if watch:
            watch(report)
    return report


def verifier_problem(spec: Mapping[str, Any]) -> str:
    """What is wrong with a verifier specification on this installation, or ""."""
    try:
        build(spec, workshop(), settings.PAWL_VERIFIERS)
    except SpecError as error:
        return str(error)
    except (ImportError, AttributeError) as error:
        return f"kind {spec.get('kind')!r} can't be loaded: {error}"
    return ""


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    each = iter(lines)
    while batch := list(islice(each, BATCH)):
        yield batch


def _read(batch: Sequence[Line], report: Report) -> list[tuple[int, Draft]]:
    drafts = []
    for line in batch:
        report.lines += 1
        report.ignored.update(line.ignored)
        if line.draft is None:
            report.refuse(line.number, line.problems)
        else:
            drafts.append((line.number, line.draft))
    return drafts


def _keep(suite: Suite, drafts: Sequence[tuple[int, Draft]], report: Report) -> None:
    """One batch: what is new goes into the tables, in a fixed number of statements."""
    already = Already(suite, [draft for _, draft in drafts])
    fresh: list[tuple[int, Draft, Sketch]] = []
    for number, draft in drafts:
        seen = already.look(draft, draft.fingerprint)
        if seen is None or (isinstance(seen, Problem) and seen.field == "later"):
            fresh.append((number, draft, Sketch.of(draft)))
        elif isinstance(seen, Problem):
            report.refuse(number, [seen])
        else:
            report.there += 1
    _add(suite, fresh, already, report)
