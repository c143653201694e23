"""Figures from labels: published values, bounds that hold, and what they refuse to say."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from improvement.evaluation import reliability as r
from improvement.evaluation.reliability import Estimate, Stratum

Answer = Literal["pass", "fail"]
SHARES = st.floats(0, 1)


def stratum(answer: Answer, size: float, right: int, wrong: int, family: str = "sums") -> Stratum:
    return Stratum(answer, family, disagreement=False, size=size, right=right, wrong=wrong)


@st.composite
def strata(draw: st.DrawFn) -> list[Stratum]:
    rows = []
    for i in range(draw(st.integers(1, 6))):
        right, wrong = draw(st.integers(0, 40)), draw(st.integers(0, 40))
        size = draw(st.integers(right + wrong, 10_000))
        answer: Answer = "pass" if draw(st.booleans()) else "fail"
        rows.append(stratum(answer, size, right, wrong, f"family-{i}"))
    return rows


def test_a_hundred_accepts_without_an_error_bound_precision_at_974() -> None:
    assert round(r.precision_bound(100, 100), 3) == 0.974


def test_no_label_says_nothing() -> None:
    assert r.precision_bound(0, 0) == 0.0
    assert r.wilson(0.0, 0) == (0.0, 1.0)
    assert r.precision([]) is r.recall([]) is r.kappa([[0, 0], [0, 0]]) is None


@pytest.mark.parametrize(("right", "n"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(right: int, n: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        r.precision_bound(right, n)


@pytest.mark.parametrize("confidence", [0.0, 0.49, 1.0, math.nan])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="a confidence is"):
        r.precision_bound(3, 4, confidence)


@given(st.integers(1, 2000), SHARES)
def test_wilson_is_that_of_scipy(n: int, share: float) -> None:
    count = round(share * n)
    theirs = binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert r.wilson(count / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    one_sided = binomtest(count, n, alternative="greater").proportion_ci(0.95, method="wilson")
    assert r.precision_bound(count, n) == pytest.approx(one_sided.low, abs=1e-9)


@given(st.integers(0, 300), st.integers(0, 20), st.floats(0.5, 0.98))
def test_the_labels_needed_are_enough_and_one_fewer_is_not(
    right: int, wrong: int, threshold: float
) -> None:
    needed = r.labels_needed(right, right + wrong, threshold)
    bound = lambda more: r.precision_bound(right + more, right + wrong + more)  # noqa: E731
    assert bound(needed) >= threshold
    assert needed == 0 or bound(needed - 1) < threshold


def test_a_threshold_that_is_out_of_reach_is_not_promised() -> None:
    assert r.labels_needed(0, 0, 1.0) == r.MOST_NEEDED


def test_purity_at_a_low_solve_rate_is_that_of_the_textbook() -> None:
    purity = r.purity(0.05, 1.0, 0.02)
    assert purity is not None
    assert round(purity, 2) == 0.72
    assert r.purity(0.0, 0.9, 0.0) is None


@given(SHARES, st.floats(0.01, 1), SHARES)
def test_purity_is_a_share_and_rises_with_the_solve_rate(p: float, tpr: float, fpr: float) -> None:
    lower, higher = r.purity(p / 2, tpr, fpr), r.purity(p, tpr, fpr)
    assert higher is None or 0 <= higher <= 1
    if lower is not None and higher is not None:
        assert lower <= higher + 1e-9


def test_a_large_stratum_with_few_labels_counts_by_its_size() -> None:
    rows = [stratum("pass", 900, 5, 5), stratum("pass", 100, 50, 0, "rugs")]
    found = r.precision(rows)
    assert found is not None
    assert found.value == pytest.approx(0.9 * 0.5 + 0.1 * 1.0)
    assert found.n == pytest.approx(1000**2 / (900**2 / 10 + 100**2 / 50)), "not 60 labels"
    assert found.low < 0.35


def test_equal_weights_give_the_plain_wilson_interval() -> None:
    found = r.precision([stratum("pass", 200, 18, 2), stratum("pass", 300, 27, 3, "rugs")])
    assert found is not None
    assert (found.low, found.high) == pytest.approx(r.wilson(0.9, 50))


def test_recall_without_a_seen_miss_is_still_unsure_where_few_fails_were_read() -> None:
    found = r.recall([stratum("pass", 100, 20, 0), stratum("fail", 900, 0, 10)])
    assert found is not None
    assert found.value == 1.0
    assert found.low < 0.35, "10 of 900 fails were read: up to 28 % of them may be right"


def test_recall_needs_labels_of_fails_too() -> None:
    assert r.recall([stratum("pass", 100, 20, 0), stratum("fail", 900, 0, 0)]) is None
    only_passes = r.recall([stratum("pass", 100, 20, 0)])
    assert only_passes is not None
    assert only_passes.value == 1.0


def test_the_false_pass_rate_has_a_width_where_no_false_pass_was_seen() -> None:
    found = r.false_pass_rate([stratum("pass", 100, 20, 0), stratum("fail", 900, 0, 10)])
    assert found is not None
    assert found.value == 0.0
    assert 0.005 < found.high < 0.1


@given(strata())
def test_every_estimate_lies_in_its_interval(rows: list[Stratum]) -> None:
    for found in (r.precision(rows), r.recall(rows), r.false_pass_rate(rows)):
        if found is not None:
            assert 0 <= found.low <= found.value <= found.high <= 1
            assert found.n >= 0
            assert math.isfinite(found.n)
    assert 0 <= r.covered(rows) <= 1


@given(strata())
def test_more_labels_of_the_same_kind_never_widen_precision(rows: list[Stratum]) -> None:
    doubled = [stratum(s.answer, s.size, 2 * s.right, 2 * s.wrong, s.family) for s in rows]
    few, many = r.precision(rows), r.precision(doubled)
    if few is not None and many is not None:
        assert many.high - many.low <= few.high - few.low + 1e-9


def _coverage(draws: int, figure: str, truth: float) -> float:
    """How often the interval of `figure` holds `truth`: 300 passes 90 % right, 700 fails 10 %."""
    random, hits = np.random.default_rng(7), 0
    for _ in range(draws):
        accepted, refused = random.binomial(40, 0.9), random.binomial(30, 0.1)
        rows = [
            stratum("pass", 300, int(accepted), int(40 - accepted)),
            stratum("fail", 700, int(refused), int(30 - refused)),
        ]
        found = getattr(r, figure)(rows)
        hits += found.low <= truth <= found.high
    return hits / draws


@pytest.mark.parametrize(("figure", "truth"), [
    ("precision", 0.9), ("recall", 270 / (270 + 70)), ("false_pass_rate", 30 / (30 + 630)),
])  # fmt: skip
def test_the_intervals_hold_the_truth_about_as_often_as_they_say(figure: str, truth: float) -> None:
    assert _coverage(1500, figure, truth) > 0.93


def test_kappa_is_that_of_the_textbooks() -> None:
    """Fleiss 1981, table 13.1: κ = .68, standard error .087; the other is Wikipedia's example."""
    found = r.kappa([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    assert found is not None
    assert round(found.value, 2) == 0.68
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(0.087, abs=0.001)
    other = r.kappa([[20, 5], [10, 15]])
    assert other is not None
    assert other.value == pytest.approx(0.4)


def test_people_who_always_agreed_on_few_items_may_still_disagree() -> None:
    found = r.kappa([[6, 0], [0, 4]])
    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.3 < found.low < 0.6


def test_purity_spans_what_its_parts_leave_open() -> None:
    sure = r.purity_between(_sure(0.05), _sure(1.0), _sure(0.02))
    assert sure is not None
    assert sure.low == sure.value == sure.high
    open_ = Estimate(0.0, 0.0, 0.1, 30)
    none_seen = r.purity_between(_sure(0.05), _sure(1.0), open_)
    assert none_seen is not None
    assert none_seen.value == 1.0
    assert none_seen.low < 0.35
    nothing = Estimate(0.0, 0.0, 0.2, 5)
    assert r.purity_between(nothing, _sure(1.0), _sure(0.0)) is None


@given(st.integers(1, 400), st.integers(1, 400))
def test_kappa_has_a_width_where_all_agree_whatever_rounding_does(right: int, wrong: int) -> None:
    found = r.kappa([[right, 0], [0, wrong]])
    assert found is not None
    assert found.high == 1.0
    assert found.low < 0.9999


def test_kappa_has_a_width_where_one_of_two_people_always_says_the_same() -> None:
    found = r.kappa([[3, 2], [0, 0]])
    assert found is not None
    assert found.value == 0.0
    assert found.low < -0.3
    assert found.high > 0.3


def test_two_people_who_only_ever_say_one_thing_have_no_kappa() -> None:
    assert r.kappa([[30, 0], [0, 0]]) is None


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=3, max_size=3))
def test_kappa_stays_in_its_range(table: list[list[int]]) -> None:
    found = r.kappa(table)
    if found is not None:
        assert -1 <= found.low <= found.value <= found.high <= 1 + 1e-12


def _sure(value: float, n: float = 1e9) -> Estimate:
    return Estimate(value, value, value, n)


def test_the_corrected_rate_is_that_of_rogan_and_gladen() -> None:
    found = r.corrected_rate(620, 1000, _sure(0.9), _sure(0.1))
    assert found is not None
    assert found.value == pytest.approx((0.62 + 0.9 - 1) / (0.9 + 0.9 - 1))


def test_a_verifier_known_exactly_leaves_only_the_error_of_sampling() -> None:
    found = r.corrected_rate(300, 1000, _sure(1.0), _sure(0.0))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(r.wilson(0.3, 1000), abs=0.001)


def test_fewer_calibration_labels_widen_the_corrected_rate() -> None:
    widths = []
    for n in (1e6, 200, 20):
        found = r.corrected_rate(620, 1000, _sure(0.9, n), _sure(0.1, n))
        assert found is not None
        widths.append(found.high - found.low)
    assert widths == sorted(widths)
    assert widths[2] > 3 * widths[0]


def test_a_verifier_no_better_than_chance_corrects_nothing() -> None:
    assert r.corrected_rate(50, 100, _sure(0.4), _sure(0.6)) is None
    assert r.corrected_rate(0, 0, _sure(0.9), _sure(0.1)) is None


@given(st.integers(0, 500), SHARES, SHARES, st.floats(0, 500), st.floats(0, 500))
def test_a_corrected_rate_lies_in_its_interval(
    passes: int, tpr: float, fpr: float, n1: float, n0: float
) -> None:
    found = r.corrected_rate(passes, 500, _sure(tpr, n1), _sure(fpr, n0))
    if found is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_corrected_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random, hits, truth = np.random.default_rng(5), 0, 0.3
    q1, q0 = 0.85, 0.9
    apparent = truth * q1 + (1 - truth) * (1 - q0)
    for _ in range(1500):
        tpr = _sure(random.binomial(80, q1) / 80, 80)
        fpr = _sure(random.binomial(80, 1 - q0) / 80, 80)
        found = r.corrected_rate(int(random.binomial(400, apparent)), 400, tpr, fpr)
        assert found is not None
        hits += found.low <= truth <= found.high
    assert 0.93 < hits / 1500 <= 0.985
