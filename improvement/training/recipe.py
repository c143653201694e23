"""How to train, what training gives back, and how it fails."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from improvement.records import Example

Precision = Literal["auto", "float32", "bfloat16"]


class TrainingError(Exception):
    """Training can't go on. The message names the cause and the remedy."""


class Cancelled(Exception):
    """Training was asked to stop; its checkpoint is saved."""


class TrainingDiverged(TrainingError):
    """The loss or its gradient is no longer a number."""


class NothingToLearn(TrainingError):
    """The dataset has no example that is ever drawn."""


class BaseModelUnusable(TrainingError):
    """The base model's files are missing or of the wrong kind."""


class StorageFailed(TrainingError):
    """A checkpoint or the adapter could not be written; nothing half-written remains."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """A training recipe. Steps are counted, not epochs alone: a small dataset gets at least
    `min_steps` optimiser steps of `batch` sequences. `rows_per_pass` bounds memory: a batch
    that reads more distinct tokens is split, with the same result."""

    batch: int = 8
    epochs: float = 4.0
    min_steps: int = 40
    max_steps: int = 400
    learning_rate: float = 4e-4
    warmup: float = 0.1
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    checkpoint_every: int = 10
    rows_per_pass: int = 512
    precision: Precision = "auto"
    seed: int = 0

    def steps(self, examples: Sequence[Example]) -> int:
        """Optimiser steps for these examples."""
        draws = self.epochs * sum(e.weight for e in examples)
        return min(max(math.ceil(draws / self.batch), self.min_steps), self.max_steps)

    def rate(self, step: int, steps: int) -> float:
        """Learning rate of step 0, 1, …: linear warm-up, then a cosine that would reach 0 at
        `steps`."""
        warm = max(1, round(self.warmup * steps))
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A trained adapter in `directory` (PEFT safetensors, card and training.json), ready to be
    moved into a store. `tokens_per_second` counts the tokens of the sequences, shared ones each
    time; `rows_per_second` those that were really computed."""

    directory: Path
    steps: int
    losses: tuple[float, ...]
    tokens: int
    seconds: float
    tokens_per_second: float
    rows_per_second: float
    precision: str
    resumed_at: int


def drawn(examples: Sequence[Example], settings: TrainSettings) -> Iterator[tuple[Example, ...]]:
    """Batches without end, in an order that depends on the seed and the examples alone. In each
    epoch an example of weight w is drawn w times on average (w = 0.5: every second epoch)."""
    ordered = sorted(examples, key=lambda e: e.key)
    waiting: list[Example] = []
    epoch = 0
    while True:
        while len(waiting) < settings.batch:
            draws = [e for e in ordered for _ in range(_times(e.weight, epoch))]
            Random(f"{settings.seed}:{epoch}").shuffle(draws)  # noqa: S311 - an order, not a secret
            waiting += draws
            epoch += 1
        yield tuple(waiting[: settings.batch])
        waiting = waiting[settings.batch :]


def _times(weight: float, epoch: int) -> int:
    return math.floor(weight * (epoch + 1) + 1e-9) - math.floor(weight * epoch + 1e-9)
