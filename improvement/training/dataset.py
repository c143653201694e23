"""Curation: which verified attempts and demonstrations a candidate learns from, and why not others.

Pure and deterministic: the same items give the same manifest, in whatever order they come. An
item's `weight` in the manifest is how often an epoch draws it (0.5: every second epoch), which is
how the declared share of human examples is met without copying any.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from improvement.records import digest_of
from improvement.training.manifest import (
    CLIPPED,
    CONTAMINATED,
    DUPLICATE,
    NO_SHARE,
    NOT_VERIFIED,
    PER_TASK,
    TOTAL,
    CuratedItem,
    CurationPolicy,
    Dropped,
    Entry,
    Manifest,
)


def curate(
    items: Iterable[CuratedItem], policy: CurationPolicy, heldout: AbstractSet[str] = frozenset()
) -> Manifest:
    """The manifest of `items` under `policy`; `heldout` holds every held-out fingerprint.

    Raises ValueError where two items share a key.
    """
    ranked = sorted(items, key=lambda item: _rank(item, policy.seed))
    repeated = [key for key, n in Counter(item.key for item in ranked).items() if n > 1]
    if repeated:
        raise ValueError(f"curation was given {repeated[0]!r} more than once")
    kept, dropped = _sift(ranked, policy, heldout)
    weights = _weights(kept, policy)
    dropped += [Dropped(i.key, i.source, NO_SHARE) for i in kept if not weights[i.key]]
    entries = tuple(
        Entry(i.key, i.source, i.family, i.level, i.fingerprint, i.tokens_sha256, weights[i.key])
        for i in sorted(kept, key=lambda item: item.key)
        if weights[i.key]
    )
    human, own = (sum(e.weight for e in entries if e.source == s) for s in ("human", "own"))
    draws = sum(e.weight for e in entries) or 1.0
    counts = Counter(name for e in entries for name in (e.source, f"{e.source}/{e.level}"))
    return Manifest(
        entries=entries,
        dropped=tuple(sorted(dropped, key=lambda d: d.key)),
        counts=dict(sorted(counts.items())),
        human_share=human / draws,
        self_generated_share=own / draws,
        policy=replace(policy, share_by_level=dict(policy.share_by_level)),
        heldout_digest=digest_of(sorted(heldout)),
    )


def _rank(item: CuratedItem, seed: int) -> tuple[bool, str]:
    """People first, then a seeded shuffle that does not depend on the order of the input."""
    return item.source == "own", hashlib.sha256(f"{seed}:{item.key}".encode()).hexdigest()


def _sift(
    ranked: Sequence[CuratedItem], policy: CurationPolicy, heldout: AbstractSet[str]
) -> tuple[list[CuratedItem], list[Dropped]]:
    dropped: list[Dropped] = []
    seen: set[tuple[str, str]] = set()
    rounds: Counter[str] = Counter()
    people: list[CuratedItem] = []
    own: list[tuple[int, int, CuratedItem]] = []
    for item in ranked:
        reason = _refusal(item, heldout)
        if not reason and (item.fingerprint, item.signature) in seen:
            reason = DUPLICATE
        if not reason and item.source == "own" and rounds[item.fingerprint] >= policy.per_task:
            reason = PER_TASK
        if reason:
            dropped.append(Dropped(item.key, item.source, reason))
            continue
        seen.add((item.fingerprint, item.signature))
        if item.source == "own":
            own.append((rounds[item.fingerprint], len(own), item))
            rounds[item.fingerprint] += 1
        else:
            people.append(item)
    own.sort(key=lambda entry: entry[:2])  # under the total, every task comes before any second one
    dropped += [Dropped(i.key, i.source, TOTAL) for _, _, i in own[policy.total :]]
    return people + [item for _, _, item in own[: policy.total]], dropped


def _refusal(item: CuratedItem, heldout: AbstractSet[str]) -> str:
    if item.fingerprint in heldout:
        return CONTAMINATED
    if not item.verified:
        return NOT_VERIFIED
    return CLIPPED if item.clipped else ""


def _weights(kept: Sequence[CuratedItem], policy: CurationPolicy) -> dict[str, float]:
    """Draws an epoch by key: own and external items once, human ones as the share asks."""
    weights = {item.key: 1.0 for item in kept}
    for level in {item.level for item in kept}:
        human = [i for i in kept if i.level == level and i.source == "human"]
        others = sum(i.level == level for i in kept) - len(human)
        if not human:
            continue
        share = policy.share_by_level.get(level, policy.human_share)
        wanted = share / (1 - share) * others if others else float(len(human))
        wanted = max(wanted, policy.min_human_draws) if share else 0.0
        each = min(wanted / len(human), policy.max_draws)
        weights.update({i.key: each for i in human})
    return weights
