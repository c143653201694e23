"""What the probe set shows, task by task.

A probe set is a fixed list of tasks, attempted K times each with the same sampling settings for
every candidate, so that generations can be compared like with like.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from improvement.records import TrajectoryRecord

Table = Mapping[str, Mapping[str, float]]
"""signal → task key → value; a task on which a signal is not defined has no entry. Plain JSON."""


@dataclass(frozen=True, slots=True)
class ProbeSample:
    """One attempt at a probe task. `passed` None: no verdict. `tokens`: what the policy wrote
    (token ids or words); `entropies` in nats, one a sampled token. ValueError for NaN."""

    task_key: str
    family: str
    passed: bool | None
    tokens: tuple[int | str, ...]
    sampled_tokens: int
    clipped: bool
    entropies: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all(math.isfinite(entropy) for entropy in self.entropies):
            raise ValueError(
                f"an attempt at task {self.task_key!r} has an entropy that is no number"
            )

    @classmethod
    def of(cls, trajectory: TrajectoryRecord, family: str, passed: bool | None) -> ProbeSample:
        """The sample that a trajectory and its verdict make."""
        sampled = [segment for segment in trajectory.segments if segment.sampled]
        return cls(
            task_key=trajectory.task_key,
            family=family,
            passed=passed,
            tokens=tuple(token for segment in sampled for token in segment.token_ids),
            sampled_tokens=trajectory.sampled_tokens,
            clipped=trajectory.clipped,
            entropies=tuple(entropy for segment in sampled for entropy in segment.entropies),
        )


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Unbiased chance that at least one of k attempts passes, 1 − C(n−c, k)/C(n, k): Chen et al.
    2021 (arXiv 2107.03374), eq. 1. ValueError unless 0 ≤ correct ≤ n and 1 ≤ k ≤ n."""
    if not (0 <= correct <= n and 1 <= k <= n):
        raise ValueError(f"pass@{k} is not defined for {correct} correct of {n}")
    return 1.0 - math.comb(n - correct, k) / math.comb(n, k)


def distinct_2(answers: Sequence[Sequence[int | str]]) -> float | None:
    """Distinct share of the bigrams (Li et al. 2016, arXiv 1510.03055) expected in *two* of the
    answers; None where there are not two of them, or no bigrams.

    Distinct-n falls by itself as more text is pooled, so the candidate that solves more would
    look poorer. Rarefaction to two answers (Hurlbert 1971, Ecology 52:577) removes that: 0.5
    where all answers are the same and repeat nothing inside, 1.0 where they share nothing.
    """
    bigrams = [list(pairwise(answer)) for answer in answers]
    total = sum(len(pairs) for pairs in bigrams)
    if len(answers) < 2 or total == 0:
        return None
    holders = Counter(pair for pairs in bigrams for pair in set(pairs))
    expected = sum(pass_at_k(len(answers), count, 2) for count in holders.values())
    return expected / (2.0 * total / len(answers))


def tabulate(samples: Iterable[ProbeSample], k: int = 8) -> Table:
    """Every signal of every task: the table that is measured, compared and may be stored.

    pass@1, pass@k (tasks with k verdicts), distinct-2, token entropy and correct length (among
    correct answers; distinct-2 needs two), length, clipped share, unjudged share.
    """
    by_task: dict[str, list[ProbeSample]] = defaultdict(list)
    for sample in samples:
        by_task[sample.task_key].append(sample)
    table: dict[str, dict[str, float]] = defaultdict(dict)
    for key, attempts in by_task.items():
        for signal, value in _of_task(attempts, k).items():
            if value is not None:
                table[signal][key] = value
    return dict(table)


def _of_task(attempts: Sequence[ProbeSample], k: int) -> dict[str, float | None]:
    judged = [a for a in attempts if a.passed is not None]
    correct = [a for a in judged if a.passed]
    n, c = len(judged), len(correct)
    return {
        "pass@1": c / n if n else None,
        f"pass@{k}": pass_at_k(n, c, k) if n >= k else None,
        "distinct-2": distinct_2([a.tokens for a in correct]),
        "token entropy": _mean([e for a in correct for e in a.entropies]),
        "correct length": _mean([a.sampled_tokens for a in correct]),
        "length": _mean([a.sampled_tokens for a in attempts]),
        "clipped share": _mean([a.clipped for a in attempts]),
        "unjudged share": _mean([a.passed is None for a in attempts]),
    }


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
