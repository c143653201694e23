"""The collapse signals against enumeration and hand-made cases."""

from __future__ import annotations

import json
import math
import time
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.collapse.probe import ProbeSample, distinct_2, pass_at_k, tabulate
from improvement.collapse.records import SignalValue
from improvement.collapse.signals import compare, measure, self_generated
from improvement.records import Segment, TrajectoryRecord
from tests.loop.probes import sample


@pytest.mark.parametrize("k", [1, 2, 5, 8])
@pytest.mark.parametrize("correct", range(9))
def test_pass_at_k_is_the_share_of_all_k_subsets_with_a_success(correct: int, k: int) -> None:
    outcomes = [True] * correct + [False] * (8 - correct)
    subsets = list(combinations(outcomes, k))
    assert pass_at_k(8, correct, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_pass_at_k_is_not_defined_with_fewer_attempts_than_k() -> None:
    for n, correct, k in [(7, 3, 8), (8, 9, 1), (8, -1, 1), (8, 2, 0)]:
        with pytest.raises(ValueError, match="not defined"):
            pass_at_k(n, correct, k)


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), min_size=2, max_size=6))
def test_distinct_2_is_the_mean_over_pairs_of_answers(answers: list[list[str]]) -> None:
    def bigrams(answer: list[str]) -> list[tuple[str, str]]:
        return list(pairwise(answer))

    pairs = list(combinations(answers, 2))
    distinct = np.mean([len(set(bigrams(a)) | set(bigrams(b))) for a, b in pairs])
    total = np.mean([len(bigrams(a)) + len(bigrams(b)) for a, b in pairs])
    assert distinct_2(answers) == (pytest.approx(distinct / total) if total else None)


@pytest.mark.parametrize("number", [2, 8, 40])
def test_distinct_2_does_not_fall_because_more_answers_are_correct(number: int) -> None:
    assert distinct_2([["same", "answer", "here"]] * number) == pytest.approx(0.5)
    assert distinct_2([[f"a{i}", f"b{i}"] for i in range(number)]) == pytest.approx(1.0)
    assert distinct_2([["alone", "here"]]) is None


def test_a_task_gives_every_signal_by_hand() -> None:
    samples = [
        sample(tokens=("a", "b", "c"), sampled_tokens=3, entropies=(1.0, 0.0, 0.5)),
        sample(tokens=("a", "b", "d"), sampled_tokens=5, entropies=(0.5,)),
        *[sample(passed=False, sampled_tokens=12, clipped=True, entropies=(9.0,))] * 6,
        sample(passed=None, sampled_tokens=10),
    ]
    values = {signal: tasks["t"] for signal, tasks in tabulate(samples).items()}
    assert values == pytest.approx(
        {
            "pass@1": 2 / 8,
            "pass@8": 1.0,
            "distinct-2": 3 / 4,
            "token entropy": 2.0 / 4,
            "correct length": 4.0,
            "length": (3 + 5 + 6 * 12 + 10) / 9,
            "clipped share": 6 / 9,
            "unjudged share": 1 / 9,
        }
    )


def test_what_is_not_defined_is_absent_and_not_zero() -> None:
    table = tabulate([sample(passed=False)] * 4 + [sample("u", passed=None)])
    assert set(table) == {"pass@1", "length", "clipped share", "unjudged share"}
    assert "u" not in table["pass@1"]
    names = {signal.name for signal in measure(table)}
    assert "token entropy" not in names
    assert "pass@8" not in names


def test_an_attempt_with_an_entropy_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'t'.*no number"):
        sample(entropies=(0.1, float("nan")))


def test_a_trajectory_gives_what_the_policy_wrote_and_nothing_else() -> None:
    segments = (
        Segment("prompt", (1, 2)),
        Segment("turn", (3, 4), sampled=True, logprobs=(-0.1, -0.2), entropies=(0.3, 0.4)),
        Segment("turn", (5,)),
        Segment("turn", (6,), sampled=True, logprobs=(-0.3,), entropies=(0.5,)),
    )
    trajectory = TrajectoryRecord("k", 0, (), segments, "answered", "7", True, 1.0, 0)
    assert ProbeSample.of(trajectory, "f", True) == ProbeSample(
        "k", "f", True, (3, 4, 6), 3, True, (0.3, 0.4, 0.5)
    )


def test_the_table_is_plain_json() -> None:
    table = tabulate([sample(), sample(), sample("u", False)])
    assert json.loads(json.dumps(table)) == table


def test_the_bootstrap_agrees_with_the_normal_interval_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(10, 2, 200)
    (signal,) = measure({"length": {str(i): v for i, v in enumerate(values)}})
    half = 1.96 * values.std(ddof=1) / math.sqrt(200)
    assert signal.value == pytest.approx(values.mean())
    assert (signal.low, signal.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.05
    )


def test_the_bootstrap_covers_at_about_its_level() -> None:
    dice = np.random.default_rng(1)
    hits = 0
    for _ in range(150):
        tasks = {str(i): v for i, v in enumerate(dice.beta(2, 2, 40))}
        (signal,) = measure({"pass@1": tasks})
        hits += signal.low <= 0.5 <= signal.high
    assert 0.90 <= hits / 150 <= 0.99


def test_the_same_seed_gives_the_same_interval_whatever_the_order_of_tasks() -> None:
    tasks = {str(i): float(i) for i in range(30)}
    backwards = dict(reversed(tasks.items()))
    assert measure({"length": tasks}) == measure({"length": backwards})
    assert measure({"length": tasks}, seed=1) != measure({"length": tasks}, seed=2)


def test_a_share_of_all_or_nothing_is_not_called_certain() -> None:
    (all_passed,) = measure({"pass@1": dict.fromkeys("abcdefghij", 1.0)})
    assert (all_passed.low, all_passed.high) == pytest.approx((0.7225, 1.0), abs=1e-4)
    (none_clipped,) = measure({"clipped share": dict.fromkeys("abcdefghij", 0.0)})
    assert (none_clipped.low, none_clipped.high) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_the_self_generated_share_counts() -> None:
    share = self_generated(81, 263)
    assert share == SignalValue("self-generated share", 81 / 263, share.low, share.high, 263)
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    for own, total in [(0, 0), (5, 4), (-1, 4)]:
        with pytest.raises(ValueError, match="not a training mix"):
            self_generated(own, total)


def test_a_comparison_uses_only_the_tasks_that_both_sides_have() -> None:
    before = {"easy 1": 2.0, "easy 2": 4.0}
    after = {"easy 1": 1.0, "easy 2": 2.0, "hard": 99.0}
    change = compare(after, before)
    assert (change.n, change.value, change.baseline, change.ratio) == (2, 1.5, 3.0, 0.5)
    assert change.ratio_interval == pytest.approx((0.5, 0.5))
    with pytest.raises(ValueError, match="no task in common"):
        compare({"a": 1.0}, {"b": 1.0})


def test_a_baseline_of_zero_has_no_ratio() -> None:
    change = compare({"a": 1.0, "b": 1.0}, {"a": 0.0, "b": 0.0})
    assert change.ratio is None
    assert change.difference == 1.0


def test_five_thousand_attempts_are_measured_within_the_budget() -> None:
    dice = np.random.default_rng(0)
    text = [tuple(dice.integers(0, 50, 60).tolist()) for _ in range(5000)]
    samples = [sample(str(i // 8), bool(i % 3), tokens=words) for i, words in enumerate(text)]
    started = time.perf_counter()
    signals = measure(tabulate(samples))
    assert time.perf_counter() - started < 20
    assert len(signals) == 8
    assert all(s.low <= s.value <= s.high for s in signals)
