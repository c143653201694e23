"""Simulated agents on a probe set: the cases of the table in docs/signals.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from improvement.collapse.probe import ProbeSample, Table, tabulate
from improvement.collapse.records import Breach
from improvement.collapse.thresholds import breaches

TASKS = 40
Dice = np.random.Generator


def sample(key: str = "t", passed: bool | None = True, **changes: object) -> ProbeSample:
    """One attempt, correct and short unless told."""
    values: dict[str, object] = {
        "task_key": key,
        "family": "f",
        "passed": passed,
        "tokens": ("price", "lamp", "answer", "3"),
        "sampled_tokens": 4,
        "clipped": False,
        "entropies": (0.5, 0.3),
    }
    return ProbeSample(**{**values, **changes})  # type: ignore[arg-type]


def agent(
    dice: Dice, rates: Sequence[float], sure: float, entropy: float, clipped: float = 0.0
) -> Table:
    """An agent that solves task i with `rates[i]`, in the usual way with probability `sure`."""
    return tabulate(
        _attempt(dice, task, rate, sure, entropy, clipped)
        for task, rate in enumerate(rates)
        for _ in range(8)
    )


def _attempt(
    dice: Dice, task: int, rate: float, sure: float, entropy: float, clipped: float
) -> ProbeSample:
    passed = bool(dice.random() < rate)
    words = [f"price{task}", f"item{task}", "calc", f"{task}x", f"answer{task}", f"n{task}"]
    if dice.random() >= sure:
        words = [*dice.permutation(words), f"x{dice.integers(6)}"]
    if not passed:
        words += ["junk"] * int(dice.integers(0, 20))
    return sample(
        str(task),
        passed,
        tokens=tuple(words),
        sampled_tokens=len(words),
        clipped=bool(dice.random() < clipped),
        entropies=tuple(dice.gamma(1, entropy, len(words))),
    )


def beginner(dice: Dice) -> np.ndarray:
    """Solve rates of 13 % on average, most of them near 0."""
    return dice.beta(0.5, 3.3, TASKS)


def healthy_first(dice: Dice) -> list[Breach]:
    before = agent(dice, beginner(dice), 0.6, 0.5, clipped=0.2)
    return breaches(agent(dice, dice.beta(8, 1.1, TASKS), 0.95, 0.04), before, before)


def healthy_second(dice: Dice) -> list[Breach]:
    rates = dice.beta(8, 1.1, TASKS)
    before, champion = agent(dice, beginner(dice), 0.6, 0.5), agent(dice, rates, 0.95, 0.04)
    return breaches(agent(dice, np.minimum(1, rates + 0.1), 0.99, 0.01), before, champion)


def next_level(dice: Dice) -> list[Breach]:
    half = TASKS // 2
    before = agent(dice, [*beginner(dice)[:half], *[0.0] * half], 0.6, 0.5)
    champion = agent(dice, [*[0.9] * half, *[0.0] * half], 0.95, 0.04)
    return breaches(agent(dice, [*[0.95] * half, *[0.55] * half], 0.97, 0.03), before, champion)


def unchanged_low(dice: Dice) -> list[Breach]:
    rates = beginner(dice)
    return breaches(agent(dice, rates, 0.6, 0.5), agent(dice, rates, 0.6, 0.5))


def unchanged_high(dice: Dice) -> list[Breach]:
    rates = dice.beta(5, 1, TASKS)
    return breaches(agent(dice, rates, 0.9, 0.1), agent(dice, rates, 0.9, 0.1))


def collapsed(dice: Dice) -> list[Breach]:
    rates = dice.beta(2, 2, TASKS)
    after = agent(dice, np.where(rates > 0.5, 0.95, 0.0), 0.99, 0.02)
    return breaches(after, agent(dice, rates, 0.6, 0.5))


def narrower(dice: Dice) -> list[Breach]:
    rates = dice.beta(2, 2, TASKS)
    return breaches(agent(dice, rates, 0.99, 0.02), agent(dice, rates, 0.3, 0.5))


def half_as_able(dice: Dice) -> list[Breach]:
    rates = dice.beta(2, 2, TASKS)
    return breaches(agent(dice, rates / 2, 0.6, 0.5, clipped=0.3), agent(dice, rates, 0.6, 0.5))


def levels(case: Callable[[Dice], list[Breach]], runs: int) -> tuple[float, float]:
    """Shares of runs with a red warning, and with amber ones only."""
    seen = [{b.level for b in case(np.random.default_rng(run))} for run in range(runs)]
    return sum("red" in s for s in seen) / runs, sum(s == {"amber"} for s in seen) / runs
