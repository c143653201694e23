"""The gate: three answers, and never a pass from missing data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvement.evaluation.gate import GateRule, decide, pair_up
from improvement.evaluation.records import PairedItem
from improvement.evaluation.statistics import e_value, mcnemar, paired_interval

SMALL = GateRule(min_items=1, max_missing=0.4)
verdicts = st.sampled_from([True, False, True, False, None])


def block(
    wins: int = 0,
    losses: int = 0,
    both: int = 0,
    neither: int = 0,
    gaps: int = 0,
    family: str = "f",
) -> list[PairedItem]:
    """Items with these outcomes: (champion, candidate)."""
    pairs: list[tuple[bool | None, bool | None]] = (
        [(False, True)] * wins
        + [(True, False)] * losses
        + [(True, True)] * both
        + [(False, False)] * neither
        + [(False, None)] * gaps
    )
    return [PairedItem(f"{family}-{i}", family, *pair) for i, pair in enumerate(pairs)]


@st.composite
def any_items(draw: st.DrawFn) -> list[PairedItem]:
    wins, losses = draw(st.integers(0, 30)), draw(st.integers(0, 12))
    items = block(wins, losses, draw(st.integers(0, 10)), draw(st.integers(0, 10)))
    extra = draw(st.lists(st.tuples(verdicts, verdicts), max_size=8))
    return items + [PairedItem(f"x{i}", "g", *pair) for i, pair in enumerate(extra)]


def swapped(items: Sequence[PairedItem]) -> list[PairedItem]:
    return [replace(item, champion=item.candidate, candidate=item.champion) for item in items]


def test_a_leap_from_13_to_88_percent_passes() -> None:
    result = decide(block(wins=152, losses=2, both=24, neither=22))
    assert result.answer == "pass"
    assert (result.n, result.wins, result.losses, result.ties) == (200, 152, 2, 46)
    assert (result.champion_score, result.candidate_score) == (0.13, 0.88)
    assert result.difference == pytest.approx(0.75)
    assert result.interval == paired_interval(152, 2, 200)
    assert result.p_value == mcnemar(152, 2)
    assert result.e_value == e_value(152, 2)


def test_the_threshold_of_the_evidence_is_where_pass_begins() -> None:
    assert e_value(10, 0) < 20 <= e_value(11, 0)
    assert decide(block(wins=10, both=190)).answer == "insufficient"
    assert decide(block(wins=11, both=189)).answer == "pass"


def test_a_significant_p_value_is_not_enough() -> None:
    result = decide(block(wins=30, losses=15, both=155))
    assert result.p_value < 0.05
    assert result.answer == "insufficient"
    assert "20 is needed" in result.reason


def test_a_worse_candidate_fails_by_its_interval() -> None:
    result = decide(block(wins=5, losses=16, both=179))
    assert result.answer == "fail"
    assert result.interval[1] < 0


def test_a_worse_candidate_fails_by_the_reverse_evidence() -> None:
    result = decide(block(losses=11, both=189), GateRule(alpha=0.0001))
    assert result.answer == "fail"
    assert "worse" in result.reason


def test_a_true_gain_that_is_too_small_to_be_useful_does_not_pass() -> None:
    rule = GateRule(minimum_difference=0.10)
    small = decide(block(wins=30, losses=1, both=969), rule)
    assert small.answer == "fail"
    assert "at best" in small.reason
    middling = decide(block(wins=16, both=184), rule)
    assert middling.answer == "insufficient"
    assert "fewer than the 10 asked" in middling.reason


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([], "no items"),
        (block(wins=60, both=39), "Only 99 items"),
        (block(both=150, neither=50), "same on all 200 items"),
        (block(wins=190, both=5, gaps=5), "5 of 200 items lack a verdict"),
        (block(gaps=200), "200 of 200 items lack"),
    ],
)
def test_too_little_to_decide_on_is_insufficient(items: list[PairedItem], reason: str) -> None:
    result = decide(items)
    assert result.answer == "insufficient"
    assert reason in result.reason


def test_a_pass_must_survive_the_missing_verdicts_read_against_the_candidate() -> None:
    items = block(wins=14, losses=1, both=184)
    assert decide(items).answer == "pass"
    missing = [*items, PairedItem("a", "f", True, None), PairedItem("b", "f", None, False)]
    result = decide(missing)
    assert result.answer == "insufficient"
    assert result.e_value == e_value(14, 3) < 20
    assert (result.n, result.losses, result.missing) == (199, 1, 2)


def test_a_fail_must_survive_the_missing_verdicts_read_in_favour() -> None:
    items = block(losses=6, both=193)
    assert decide(items).answer == "fail"
    missing = [*items, PairedItem("a", "f", False, None), PairedItem("b", "f", None, True)]
    assert decide(missing).answer == "insufficient"


def test_families_are_reported_and_a_falling_one_is_named() -> None:
    items = block(wins=60, both=40, family="one item") + block(
        losses=20, both=30, family="two items"
    )
    result = decide(items)
    assert result.answer == "pass"
    assert "Worse in: two items." in result.reason
    one, two = result.families
    assert (one["family"], one["n"], one["wins"], one["losses"]) == ("one item", 100, 60, 0)
    assert (one["champion_score"], one["candidate_score"], one["difference"]) == (0.4, 1.0, 0.6)
    assert two["interval"][1] < 0
    assert json.loads(json.dumps(result.families)) == [one, two]


@pytest.mark.parametrize("verdict", [float("nan"), 1.0, "pass", 0])
def test_what_is_no_verdict_is_refused(verdict: object) -> None:
    item = PairedItem("odd", "f", verdict, True)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'odd'.*not a verdict"):
        decide([*block(wins=150), item])


def test_a_task_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        decide([*block(wins=100), *block(wins=1)])


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": 1.0},
        {"evidence": float("nan")},
        {"evidence": float("inf")},
        {"min_items": 0},
        {"max_missing": 0.5},
        {"max_missing": float("nan")},
        {"alpha": 0.0},
        {"minimum_difference": -0.1},
    ],
)
def test_an_unsound_rule_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"unsound gate rule: {next(iter(changes))}"):
        GateRule(**changes)  # type: ignore[arg-type]


def test_pairing_keeps_the_tasks_that_nobody_attempted() -> None:
    items = pair_up({"a": "f", "b": "g", "c": "g"}, {"a": True}, {"a": False, "b": None})
    assert items == (
        PairedItem("a", "f", True, False),
        PairedItem("b", "g", None, None),
        PairedItem("c", "g", None, None),
    )
    with pytest.raises(ValueError, match="candidate has verdicts outside the block"):
        pair_up({"a": "f"}, {}, {"z": True})


@given(any_items())
def test_swapping_the_sides_swaps_wins_and_losses_and_mirrors_the_interval(
    items: list[PairedItem],
) -> None:
    here, there = decide(items, SMALL), decide(swapped(items), SMALL)
    assert (here.wins, here.losses, here.ties) == (there.losses, there.wins, there.ties)
    assert here.interval == (-there.interval[1], -there.interval[0])
    assert here.difference == -there.difference
    assert here.p_value == there.p_value
    assert not here.answer == there.answer == "pass"


@given(any_items())
def test_counts_add_up_and_a_candidate_that_wins_no_more_than_it_loses_never_passes(
    items: list[PairedItem],
) -> None:
    result = decide(items, SMALL)
    assert result.wins + result.losses + result.ties == result.n == len(items) - result.missing
    assert sum(row["n"] for row in result.families) == result.n
    assert result.answer != "pass" or result.wins > result.losses


@settings(max_examples=300)
@given(any_items(), st.data())
def test_losing_a_verdict_never_turns_anything_into_a_pass(
    items: list[PairedItem], data: st.DataObject
) -> None:
    if items and data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(items) - 1))
        side = data.draw(st.sampled_from(["champion", "candidate"]))
        after = [*items]
        after[index] = replace(items[index], **{side: None})
    else:
        pair = data.draw(st.sampled_from([(None, None), (True, None), (None, True), (None, False)]))
        after = [*items, PairedItem("new", "f", *pair)]
    before, now = decide(items, SMALL), decide(after, SMALL)
    assert now.answer != "pass" or before.answer == "pass"
    assert now.e_value <= before.e_value * (1 + 1e-12)


@given(any_items())
def test_an_answer_stands_however_the_missing_verdicts_come_out(items: list[PairedItem]) -> None:
    result = decide(items, SMALL)
    for value in (True, False):
        full = [
            replace(
                item,
                champion=not value if item.champion is None else item.champion,
                candidate=value if item.candidate is None else item.candidate,
            )
            for item in items
        ]
        if result.answer != "insufficient":
            assert decide(full, SMALL).answer == result.answer
