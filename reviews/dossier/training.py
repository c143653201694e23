"""What it was trained on, and how: the frozen manifest and the training record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from improvement.models import Candidate, Dataset, DatasetItem
from reviews.wording import compact

SHOWN = 12


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """The training of a candidate. `sources` are (source, level, examples); `dropped` are
    (reason, examples), most first; `losses` are (step, loss)."""

    dataset: Dataset | None
    sources: Sequence[tuple[str, str, int]]
    dropped: Sequence[tuple[str, int]]
    policy: Sequence[tuple[str, str]]
    samples: Sequence[DatasetItem]
    settings: Sequence[tuple[str, str]]
    losses: Sequence[tuple[float, float]]


def training_facts(candidate: Candidate) -> TrainingFacts:
    """Reads counts and a few examples, never the whole manifest."""
    dataset = candidate.dataset
    counts, policy = _from_manifest(dataset)
    items = DatasetItem.objects.filter(dataset=dataset) if dataset else DatasetItem.objects.none()
    dropped = items.exclude(dropped_because="").values_list("dropped_because")
    kept = items.filter(dropped_because="", trajectory__isnull=False)
    return TrainingFacts(
        dataset=dataset,
        sources=_sources(counts),
        dropped=[(str(why), n) for why, n in dropped.annotate(n=Count("id")).order_by("-n")],
        policy=plain_pairs(policy),
        samples=list(kept.select_related("trajectory__task").order_by("id")[:SHOWN]),
        settings=plain_pairs(candidate.training),
        losses=_losses(candidate.training),
    )


def _from_manifest(dataset: Dataset | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Its counts and its policy; the entries stay in the database."""
    if dataset is None:
        return {}, {}
    row = Dataset.objects.values_list("manifest__counts", "manifest__policy").get(pk=dataset.pk)
    counts, policy = (part if isinstance(part, Mapping) else {} for part in row)
    return counts, policy


def _sources(counts: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """ "own/1": 40 as ("own", "1", 40); the plain totals are left out where levels are known."""
    levels = [(*name.split("/", 1), n) for name, n in counts.items() if "/" in name]
    return [(source, level, int(n)) for source, level, n in sorted(levels)]


def plain_pairs(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """The scalars of a JSON object as words, one level of nesting deep."""
    pairs: list[tuple[str, str]] = []
    for key, entry in value.items() if isinstance(value, Mapping) else ():
        name = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(entry, bool):
            pairs.append((name, "yes" if entry else "no"))
        elif isinstance(entry, int | float):
            pairs.append((name, compact(entry) if math.isfinite(entry) else "–"))
        elif isinstance(entry, str) and entry and len(entry) < 200:
            pairs.append((name, entry))
        elif isinstance(entry, Mapping) and not prefix:
            pairs += plain_pairs(entry, f"{name}: ")
    return pairs


def _losses(training: Mapping[str, Any]) -> list[tuple[float, float]]:
    """(step, loss) of each optimiser step that has a finite loss."""
    losses = training.get("losses")
    return [
        (float(step), float(loss))
        for step, loss in enumerate(losses if isinstance(losses, list) else [], start=1)
        if isinstance(loss, int | float) and math.isfinite(loss)
    ]
