"""What of a batch of drafts is in the suite already, and what contradicts it.

One prompt is one task. The references of sealed tasks are compared here, inside the evaluation
role, and never leave: a message says that they differ, not how.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from improvement.ingest.tasks import Draft, Problem
from improvement.models import Suite, Task
from improvement.models.sealed import answers_of


@dataclass(frozen=True, slots=True)
class Known:
    """A task as an import sees it, from the database or from earlier in the batch."""

    key: str
    fingerprint: str
    family: str
    level: int
    split: str
    verifier: Mapping[str, Any]
    reference: Mapping[str, Any]


class Already:
    """The tasks that drafts of this batch may meet."""

    def __init__(self, suite: Suite, drafts: Sequence[Draft]) -> None:
        keys = [draft.id for draft in drafts]
        prints = [draft.fingerprint for draft in drafts]
        same = Q(key__in=keys) | Q(fingerprint__in=prints)
        rows = list(Task.objects.filter(same, suite=suite))
        sealed = answers_of(rows)
        self._by_key: dict[str, Known] = {}
        self._by_print: dict[str, Known] = {}
        for row in rows:
            self._add(_known(row, sealed))

    def add(self, draft: Draft, split: str) -> None:
        fields = (draft.id, draft.fingerprint, draft.family, draft.level, split)
        self._add(Known(*fields, draft.verifier, draft.reference))

    def _add(self, known: Known) -> None:
        self._by_key[known.key] = self._by_print[known.fingerprint] = known

    def look(self, draft: Draft) -> Known | Problem | None:
        """The task that this draft is, what of it contradicts that task, or None: it is new."""
        same, named = self._by_print.get(draft.fingerprint), self._by_key.get(draft.id)
        if same is None and named is None:
            return None
        if same is None:
            return Problem("id", f"“{draft.id}” is already there with another prompt")
        if not equal(same.reference, draft.reference):
            said = f"“{same.key}” has the same prompt with another reference"
            return Problem("reference", said)
        if named is not None and named is not same:
            return Problem("id", f"“{draft.id}” is already there with another prompt")
        return _difference(same, draft) or same


def _difference(same: Known, draft: Draft) -> Problem | None:
    """What a draft says of a task that is there, in other words than before."""
    if draft.split and draft.split != same.split:
        return Problem("split", f"“{same.key}” is already there in {same.split}")
    if draft.id != same.key:
        return None  # the same problem under another id: nothing to add
    for name in ("family", "level", "verifier"):
        if not equal(getattr(same, name), getattr(draft, name)):
            return Problem(name, f"“{same.key}” is already there with another {name}")
    return None


def _known(row: Task, sealed: Mapping[int, Mapping[str, Any]]) -> Known:
    fields = (row.key, row.fingerprint, row.family, row.level, row.split)
    return Known(*fields, row.verifier, sealed.get(row.pk, row.reference))


def equal(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not. What PostgreSQL gives back equals what
    was put in."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and _all_equal((one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and _all_equal(zip(one, other, strict=True))
    return bool(one == other)


def _all_equal(pairs: Iterable[tuple[Any, Any]]) -> bool:
    return all(equal(one, other) for one, other in pairs)
