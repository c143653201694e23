"""The clusters of near-duplicates: which one a draft belongs to, and so its split.

A draft joins the cluster of every task that it is like (chains count: a cluster is a connected
set). The tables of bands and signatures hold what has been read, so memory is that of a batch.
A band keeps its first FULL tasks: near-duplicates share most of their bands, and those that
thousands of tasks share say least.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from improvement.ingest.likeness import LIKE, Signature, band_keys, estimate, signature
from improvement.ingest.tasks import Draft, Problem
from improvement.models import Suite, Task, TaskSignature
from improvement.records import Split

FULL = 16
SHARES: tuple[tuple[Split, float], ...] = (("train", 0.6), ("dev", 0.7), ("heldout", 1.0))

# One look-up a key: in a table that grows this fast the planner's statistics are always old, and
# with `key = ANY(…)` it would read all bands of the suite.
BANDS = """
SELECT asked.key, found.task_id
FROM unnest(%s::bigint[]) AS asked (key) CROSS JOIN LATERAL (
    SELECT task_id FROM improvement_taskband AS band
    WHERE band.suite_id = %s AND band.key = asked.key ORDER BY band.key LIMIT %s
) AS found
"""
MEMBERS = """
SELECT task_id, minhash, key, cluster, split
FROM improvement_tasksignature JOIN improvement_task ON id = task_id
WHERE task_id = ANY(%s)
"""
KEEP = "COPY improvement_taskband (suite_id, key, task_id) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a draft goes."""

    cluster: str
    split: Split


@dataclass(frozen=True, slots=True)
class Member:
    """A task that drafts may be like."""

    key: str
    cluster: str
    split: Split


@dataclass(frozen=True, slots=True)
class Sketch:
    """A draft's signature and its bands."""

    signature: Signature
    bands: Sequence[int]

    @classmethod
    def of(cls, draft: Draft) -> Sketch:
        found = signature(draft.compared or draft.prompt)
        return cls(found, band_keys(found))


class Clusters:
    """The clusters that the drafts of one batch may meet, in the database and in the batch."""

    def __init__(self, suite: Suite, sketches: Sequence[Sketch]) -> None:
        self._suite = suite
        self._members: list[Member] = []
        self._signatures: list[Signature] = []
        self._bands: defaultdict[int, list[int]] = defaultdict(list)  # key -> places above
        self._joined: dict[str, str] = {}  # merged cluster -> the one it became part of
        self._new: list[tuple[int, int]] = []  # (key, place) of bands to be stored
        self._read({key for sketch in sketches for key in sketch.bands})

    def place(self, draft: Draft, sketch: Sketch) -> Place | Problem:
        """The draft's cluster and split; a Problem where those of its near-duplicates differ."""
        like = self._like(sketch)
        found = {self._root(member.cluster): member for member in like}
        splits = {member.split: member for member in found.values()}
        if len(splits) > 1:
            one, other, *_ = sorted(splits.values(), key=lambda member: member.split)
            said = (
                f"is nearly that of “{one.key}” ({one.split}) and that of “{other.key}” "
                f"({other.split}), which are in different splits"
            )
            return Problem("prompt", said)
        if not found:
            return Place(draft.fingerprint, draft.split or assigned(draft.fingerprint))
        split, nearest = next(iter(splits.items()))
        if draft.split and draft.split != split:
            said = f"is {draft.split}, but its near-duplicate “{nearest.key}” is in {split}"
            return Problem("split", said)
        return Place(self._merge(sorted(found)), split)

    def add(self, draft: Draft, place: Place, sketch: Sketch) -> None:
        """The draft is a task of its cluster from now on."""
        here = len(self._members)
        self._members.append(Member(draft.id, place.cluster, place.split))
        self._signatures.append(sketch.signature)
        for key in sketch.bands:
            if len(self._bands[key]) < FULL:
                self._bands[key].append(here)
                self._new.append((key, here))

    def name(self, place: Place) -> str:
        """The cluster's name after all that was merged later."""
        return self._root(place.cluster)

    def save(self, tasks: Sequence[Task], sketches: Sequence[Sketch]) -> None:
        """Store what `add` was told of, in its order."""
        for lost in self._joined:
            self._suite.tasks.filter(cluster=lost).update(cluster=self._root(lost))
        TaskSignature.objects.bulk_create(
            TaskSignature(task=task, minhash=sketch.signature.astype("<u4").tobytes())
            for task, sketch in zip(tasks, sketches, strict=True)
        )
        first = len(self._members) - len(tasks)
        with connection.cursor() as cursor, cursor.copy(KEEP) as copy:
            for key, here in self._new:
                copy.write_row((self._suite.pk, key, tasks[here - first].pk))

    def _read(self, keys: set[int]) -> None:
        """The tasks of the suite that share a band with the batch."""
        rows = _rows(BANDS, [sorted(keys), self._suite.pk, FULL])
        places: dict[int, int] = {}
        for task, kept, key, cluster, split in _rows(MEMBERS, [list({t for _, t in rows})]):
            places[task] = len(self._members)
            self._members.append(Member(key, cluster, split))
            self._signatures.append(np.frombuffer(kept, dtype="<u4"))
        for band, task in rows:
            self._bands[band].append(places[task])

    def _like(self, sketch: Sketch) -> list[Member]:
        near = sorted({place for key in sketch.bands for place in self._bands.get(key, ())})
        if not near:
            return []
        close = estimate(sketch.signature, np.stack([self._signatures[i] for i in near]))
        return [self._members[near[i]] for i in np.argsort(-close) if close[i] >= LIKE]

    def _root(self, cluster: str) -> str:
        while cluster in self._joined:
            cluster = self._joined[cluster]
        return cluster

    def _merge(self, found: list[str]) -> str:
        survivor, *others = found
        for lost in others:
            self._joined[lost] = survivor
        return survivor


def _rows(query: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query; thousands of keys are one value of it, an array."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def assigned(cluster: str) -> Split:
    """60 % train, 10 % dev, 30 % held-out, by the cluster's name alone."""
    drawn = hashlib.sha256(f"split {cluster}".encode()).digest()
    share = int.from_bytes(drawn[:8], "big") / 2**64
    return next(split for split, below in SHARES if share < below)
