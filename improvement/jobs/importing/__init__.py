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
            Suite.objects.select_for_update(no_key=True).get(pk=suite.pk)
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
    sketches = {number: Sketch.of(draft) for number, draft in drafts if already.look(draft) is None}
    clusters = Clusters(suite, list(sketches.values()))
    kept: list[tuple[Draft, Place, Sketch]] = []
    for number, draft in drafts:
        found = already.look(draft) or clusters.place(draft, sketches[number])
        if isinstance(found, Problem):
            report.refuse(number, [found])
        elif isinstance(found, Place):
            already.add(draft, found.split)
            clusters.add(draft, found, sketches[number])
            kept.append((draft, found, sketches[number]))
        else:
            report.there += 1
    _save(suite, kept, clusters)
    _count(suite, kept, report)


def _save(suite: Suite, kept: Sequence[tuple[Draft, Place, Sketch]], clusters: Clusters) -> None:
    tasks = Task.objects.bulk_create(
        _task(suite, draft, clusters.name(place), place.split) for draft, place, _ in kept
    )
    SealedAnswer.objects.bulk_create(
        SealedAnswer(task=task, reference=dict(draft.reference))
        for task, (draft, _, _) in zip(tasks, kept, strict=True)
        if task.split == Splits.HELDOUT
    )
    clusters.save(tasks, [sketch for _, _, sketch in kept])


def _task(suite: Suite, draft: Draft, cluster: str, split: str) -> Task:
    sealed = split == Splits.HELDOUT
    return Task(
        suite=suite,
        key=draft.id,
        family=draft.family,
        level=draft.level,
        split=split,
        prompt=draft.prompt,
        reference={} if sealed else dict(draft.reference),
        fingerprint=draft.fingerprint,
        verifier=dict(draft.verifier),
        cluster=cluster,
    )


def _count(suite: Suite, kept: Sequence[tuple[Draft, Place, Sketch]], report: Report) -> None:
    for draft, place, _ in kept:
        report.added += 1
        report.kept[place.split, draft.family] += 1
        if not draft.verifier and not suite.verifier:
            report.unverified += 1
