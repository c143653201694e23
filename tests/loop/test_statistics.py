"""The statistics of the gate against published values and other implementations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from improvement.evaluation.power import gate_power, items_needed
from improvement.evaluation.statistics import (
    e_value,
    log_e_value,
    mcnemar,
    paired_interval,
    wilson,
)

counts = st.integers(0, 400)


@given(counts, counts)
def test_mcnemar_agrees_with_the_binomial_test_of_scipy(wins: int, losses: int) -> None:
    n = wins + losses
    assert mcnemar(wins, losses) == pytest.approx(binomtest(wins, n).pvalue if n else 1.0)


def test_mcnemar_gives_the_published_value() -> None:
    """Cavo et al. 2012 in Fagerland, Lydersen and Laake's book: exact conditional P = .052479."""
    assert mcnemar(6, 16) == pytest.approx(0.052479, abs=5e-7)


@pytest.mark.parametrize(
    ("wins", "losses", "n", "low", "high"),
    [
        (6, 16, 161, -0.1240, -0.0054),  # Cavo et al. 2012, R contingencytables
        (1, 7, 21, -0.517, -0.026),  # Bentur et al. 2009, Fagerland et al. 2014, Stat Med 33:2850
    ],
)
def test_the_paired_interval_gives_the_published_values(
    wins: int, losses: int, n: int, low: float, high: float
) -> None:
    digits = 5e-5 if n == 161 else 5e-4
    assert paired_interval(wins, losses, n) == pytest.approx((low, high), abs=digits)


@pytest.mark.parametrize("n", [1, 20, 500])
def test_the_paired_interval_has_its_closed_form_where_nothing_differs(n: int) -> None:
    half = 1.959963984540054**2 / (n + 1.959963984540054**2)
    assert paired_interval(0, 0, n) == pytest.approx((-half, half), abs=1e-9)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_the_paired_interval_is_mirrored_holds_the_estimate_and_stays_in_range(
    wins: int, losses: int, ties: int
) -> None:
    n = wins + losses + ties
    low, high = paired_interval(wins, losses, n)
    assert paired_interval(losses, wins, n) == (-high, -low)
    assert -1.0 <= low <= high <= 1.0
    if n:
        assert low <= (wins - losses) / n <= high


def test_the_paired_interval_covers_at_about_its_level() -> None:
    """Exact coverage over the trinomial: n = 60, P(win) = .2, P(loss) = .1."""
    n, win, loss, covered = 60, 0.2, 0.1, 0.0
    for wins in range(n + 1):
        for losses in range(n + 1 - wins):
            low, high = paired_interval(wins, losses, n)
            chance = binom.pmf(wins, n, win) * binom.pmf(losses, n - wins, loss / (1 - win))
            covered += chance * (low <= win - loss <= high)
    assert covered == pytest.approx(0.95, abs=0.01)


def test_wilson_gives_the_published_values() -> None:
    """Newcombe 1998, Stat Med 17:857, table I, method 3: 81/263, 15/148, 0/20, 1/29."""
    for count, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("decided", [0, 1, 2, 7, 40, 200])
def test_the_e_value_has_mean_one_when_wins_and_losses_are_equally_likely(decided: int) -> None:
    mean = sum(
        binom.pmf(wins, decided, 0.5) * e_value(wins, decided - wins) for wins in range(decided + 1)
    )
    assert mean == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("win", [0.0, 0.2, 0.45])
def test_the_e_value_has_mean_below_one_when_the_candidate_is_worse(win: float) -> None:
    mean = sum(binom.pmf(b, 30, win) * e_value(b, 30 - b) for b in range(31))
    assert mean < 1.0


def test_the_e_value_of_a_path_exceeds_twenty_in_at_most_one_of_twenty_null_runs() -> None:
    """Ville's inequality, exactly: the chance that e is ever ≥ 20 within 300 fair items."""
    alive, crossed = {0: 1.0}, 0.0
    for step in range(1, 301):
        following: dict[int, float] = {}
        for wins, chance in alive.items():
            for now in (wins, wins + 1):
                following[now] = following.get(now, 0.0) + chance / 2
        crossed += sum(p for b, p in following.items() if e_value(b, step - b) >= 20)
        alive = {b: p for b, p in following.items() if e_value(b, step - b) < 20}
    assert 0.01 < crossed <= 0.05


def exact_log_e(wins: int, losses: int) -> float:
    """In integers, by the binomial sum for the incomplete beta function (Abramowitz and Stegun
    26.5.6): e = 4·2^(n−1) / (n·C(n−1, wins)) · Σ_{j > wins} C(n, j)(3^j/4^n − 1/2^n)."""
    n = wins + losses + 1
    tail, choose = 0, math.comb(n, wins + 1)
    for j in range(wins + 1, n + 1):
        tail += choose * (3**j - 2**n)
        choose = choose * (n - j) // (j + 1)
    return math.log(4 * 2 ** (n - 1) * tail) - math.log(n * math.comb(n - 1, wins) * 4**n)


@pytest.mark.parametrize(
    ("wins", "losses"),
    [(0, 0), (1, 0), (0, 1), (11, 0), (30, 10), (10, 30), (5, 400), (900, 100), (1500, 1400)],
)
def test_the_e_value_agrees_with_exact_integer_arithmetic(wins: int, losses: int) -> None:
    assert log_e_value(wins, losses) == pytest.approx(exact_log_e(wins, losses), abs=1e-10)


@given(counts, counts)
def test_the_e_value_grows_with_a_win_and_shrinks_with_a_loss(wins: int, losses: int) -> None:
    here = log_e_value(wins, losses)
    assert log_e_value(wins + 1, losses) > here > log_e_value(wins, losses + 1)


@given(counts, counts)
def test_the_e_value_never_speaks_for_a_candidate_that_wins_no_more_than_it_loses(
    wins: int, more: int
) -> None:
    assert e_value(wins, wins + more) <= 1.0 + 1e-12


def test_the_e_value_survives_huge_counts() -> None:
    assert 1e298 < e_value(10**6, 0) < math.inf
    assert e_value(0, 10**6) == pytest.approx(2 / (10**6 + 1))


@pytest.mark.parametrize(("difference", "needed"), [(0.10, 118), (0.05, 489), (0.03, 1368)])
def test_the_sizes_of_the_design_note_are_reproduced(difference: float, needed: int) -> None:
    assert items_needed(difference, 0.2) == needed


def test_the_power_of_the_gate_agrees_with_plain_enumeration() -> None:
    n, win, loss, passed = 40, 0.35, 0.05, 0.0
    for wins in range(n + 1):
        for losses in range(n + 1 - wins):
            chance = binom.pmf(wins, n, win) * binom.pmf(losses, n - wins, loss / (1 - win))
            passed += chance * (e_value(wins, losses) >= 20)
    assert gate_power(n, win - loss, win + loss) == pytest.approx(passed, abs=1e-9)


def test_impossible_counts_are_refused() -> None:
    for call in (
        lambda: mcnemar(-1, 2),
        lambda: log_e_value(1, -2),
        lambda: paired_interval(3, 3, 5),
        lambda: items_needed(0.3, 0.2),
        lambda: items_needed(0.0, 0.2),
        lambda: gate_power(10, 0.1, 1.2),
    ):
        with pytest.raises(ValueError, match=r"negative|fit|not possible"):
            call()
