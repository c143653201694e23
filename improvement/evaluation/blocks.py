"""Fresh sealed blocks of held-out tasks, generated (`draw`) or of a finite suite (`choose`).

The seed is a keyed hash of the gate and the *frozen* candidate, so nobody without the secret can
know the block before the candidate can no longer change, and the same gate always draws the same
block (a killed stage may run again). Call `draw` only after the freeze; give every fingerprint
ever used (train, dev, demonstrations, earlier blocks) as `taken`.

Limits: the secret protects nothing from a person who holds it; exact fingerprints are compared,
so a paraphrase of a training task is not caught.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from improvement.records import TaskRecord, digest_of

PATIENCE = 2000
"""Tasks in a row that may be used or not held out before a stratum counts as exhausted."""


class BlockExhausted(RuntimeError):
    """The generator has too few tasks left that nobody has seen."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """One family at one level, and its declared weight among the strata of a block."""

    family: str
    level: int
    weight: float = 1.0

    def __str__(self) -> str:
        return f"{self.family}, level {self.level}"


@dataclass(frozen=True, slots=True)
class Block:
    """Sealed tasks. `item_digests` has one sha256 a task, in order; `digest` covers them all."""

    tasks: tuple[TaskRecord, ...]
    item_digests: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, tasks: Sequence[TaskRecord]) -> Block:
        """Seal `tasks`: sha256 of each one's canonical JSON, and of the list of those."""
        items = tuple(digest_of(_as_json(task)) for task in tasks)
        return cls(tuple(tasks), items, digest_of(items))


Generate = Callable[[int, int], TaskRecord]
"""(seed, level) → a task, of any split (`Environment.generate`); equal seeds make equal tasks."""


def block_seed(secret: bytes, gate_id: str, candidate_digest: str) -> int:
    """HMAC-SHA256(secret, gate id ‖ candidate digest), its first 63 bits (fits a PostgreSQL
    bigint). ValueError for a secret under 16 bytes or an empty or NUL-carrying part."""
    if len(secret) < 16:
        raise ValueError("the block secret must have at least 16 bytes")
    parts = (gate_id, candidate_digest)
    if any(not part or "\0" in part for part in parts):
        raise ValueError("a block needs a gate id and the digest of a frozen candidate")
    mac = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return int.from_bytes(mac[:8], "big") >> 1


def allocate(strata: Sequence[Stratum], n: int) -> tuple[int, ...]:
    """Items for each stratum in proportion to the weights (largest remainder; they sum to n).
    ValueError when the strata make no sense or one of them would get nothing."""
    names = {(s.family, s.level) for s in strata}
    if not strata or len(names) < len(strata) or not all(0 < s.weight < math.inf for s in strata):
        raise ValueError(f"strata must be distinct and have positive weights: {list(strata)}")
    total = sum(Fraction(s.weight) for s in strata)
    exact = [n * Fraction(s.weight) / total for s in strata]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(strata)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_remainder[: n - sum(counts)]:
        counts[i] += 1
    if min(counts) < 1:
        raise ValueError(f"a block of {n} has no item for {strata[counts.index(min(counts))]}")
    return tuple(counts)


def draw(
    generate: Generate, strata: Sequence[Stratum], seed: int, n: int, taken: AbstractSet[str]
) -> Block:
    """Draw and seal `n` held-out tasks whose fingerprints are distinct and not in `taken`; what
    the generator makes for other splits is passed over.

    BlockExhausted when a stratum gives nothing new any more; ValueError when the generator
    answers with a task that is not of the stratum or cannot be told from others.
    """
    seen = set(taken)
    tasks: list[TaskRecord] = []
    for stratum, count in zip(strata, allocate(strata, n), strict=True):
        tasks += _draw_stratum(generate, stratum, seed, count, seen)
    if len({task.key for task in tasks}) < n:
        raise ValueError("the generator gave one key to two different tasks")
    return Block.of(tasks)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One held-out task of a finite suite that no block has used. `cluster` empty: on its own."""

    key: int
    fingerprint: str
    cluster: str = ""


def choose(pool: Sequence[Sealed], seed: int, n: int) -> list[int]:
    """The keys of at most `n` of `pool`, at most one of each cluster, in an order that the seed
    and the fingerprints decide: a draw without replacement from a finite suite."""
    order = sorted(pool, key=lambda item: _rank(seed, item.fingerprint))
    clusters, keys = set[str](), list[int]()
    for item in order:
        if len(keys) == n:
            break
        if item.cluster and item.cluster in clusters:
            continue
        clusters.add(item.cluster)
        keys.append(item.key)
    return keys


def _rank(seed: int, fingerprint: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{fingerprint}".encode()).digest()


def _draw_stratum(
    generate: Generate, stratum: Stratum, seed: int, count: int, seen: set[str]
) -> list[TaskRecord]:
    """`count` new tasks of `stratum`, no two of one cluster; their fingerprints go to `seen`."""
    tasks: list[TaskRecord] = []
    clusters = set[str]()
    attempt = stale = 0
    while len(tasks) < count:
        task = generate(_item_seed(seed, stratum, attempt), stratum.level)
        attempt += 1
        _check(task, stratum)
        fresh = task.fingerprint not in seen and task.cluster not in clusters
        if task.split == "heldout" and fresh:
            seen.add(task.fingerprint)
            clusters |= {task.cluster} if task.cluster else set()
            tasks.append(task)
            stale = 0
        elif (stale := stale + 1) >= PATIENCE:
            raise BlockExhausted(
                f"{stratum}: only {len(tasks)} of {count} fresh held-out tasks could be drawn "
                f"({PATIENCE} in a row were used, near-duplicates or not held out): widen the "
                "generator"
            )
    return tasks


def _item_seed(seed: int, stratum: Stratum, attempt: int) -> int:
    text = f"{seed}\0{stratum.family}\0{stratum.level}\0{attempt}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _check(task: TaskRecord, stratum: Stratum) -> None:
    if (task.family, task.level) != (stratum.family, stratum.level):
        raise ValueError(f"task {task.key!r} is of another stratum than {stratum}")
    if not task.fingerprint:
        raise ValueError(f"task {task.key!r} has no fingerprint")


def _as_json(task: TaskRecord) -> dict[str, Any]:
    values = {field.name: getattr(task, field.name) for field in fields(task)}
    return {**values, "reference": dict(task.reference), "verifier": dict(task.verifier)}
