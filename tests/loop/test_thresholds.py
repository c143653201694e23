"""The limits: a healthy leap is a note, a collapse holds the loop."""

from __future__ import annotations

import numpy as np
import pytest

from improvement.collapse.limits import Limits
from improvement.collapse.probe import Table, tabulate
from improvement.collapse.records import Breach
from improvement.collapse.signals import self_generated
from improvement.collapse.thresholds import breaches
from tests.loop import probes

RUNS = 12


def flat(tasks: int = 20, **values: float) -> Table:
    """A table in which every task has the same values; the defaults are a middling agent."""
    usual = {
        "pass@1": 0.5,
        "pass@8": 0.8,
        "distinct-2": 0.8,
        "token entropy": 0.5,
        "correct length": 20.0,
        "length": 30.0,
        "clipped share": 0.1,
        "unjudged share": 0.0,
    }
    given = {
        name.replace("__", "-").replace("_at_", "@").replace("_", " "): v
        for name, v in values.items()
    }
    return {
        signal: {str(task): value for task in range(tasks)}
        for signal, value in {**usual, **given}.items()
    }


def seen(found: list[Breach]) -> set[tuple[str, str]]:
    return {(breach.signal, breach.level) for breach in found}


@pytest.mark.parametrize(
    "case",
    [probes.healthy_first, probes.healthy_second, probes.next_level],
)
def test_healthy_learning_is_never_red(case) -> None:
    assert probes.levels(case, RUNS)[0] == 0.0


@pytest.mark.parametrize("case", [probes.unchanged_low, probes.unchanged_high])
def test_an_agent_that_did_not_change_is_seldom_warned_about(case) -> None:
    red, amber = probes.levels(case, RUNS)
    assert red == 0.0
    assert amber <= 0.15


@pytest.mark.parametrize("case", [probes.collapsed, probes.half_as_able])
def test_a_collapse_and_a_loss_of_ability_are_red(case) -> None:
    assert probes.levels(case, RUNS)[0] == 1.0


def test_the_healthy_leap_still_notes_the_fallen_entropy() -> None:
    found = probes.healthy_first(np.random.default_rng(0))
    assert ("token entropy", "amber") in seen(found)


def test_nothing_is_breached_by_standing_still() -> None:
    assert breaches(flat(), flat(), flat()) == []


def test_a_champion_that_is_generation_0_is_not_reported_twice() -> None:
    assert len(breaches(flat(pass_at_1=0.4), flat(), flat())) == 1


def test_low_entropy_alone_is_amber() -> None:
    (breach,) = breaches(flat(token_entropy=0.14), flat())
    assert (breach.signal, breach.level, breach.against) == (
        "token entropy",
        "amber",
        "generation 0",
    )
    assert (breach.value, breach.baseline) == pytest.approx((0.14, 0.5))
    assert breach.limit == pytest.approx(0.15)
    assert breaches(flat(token_entropy=0.16), flat()) == []


def test_low_entropy_is_red_when_fewer_tasks_can_be_solved() -> None:
    found = breaches(flat(token_entropy=0.1, pass_at_8=0.7, pass_at_1=0.4), flat(pass_at_1=0.4))
    assert ("token entropy", "red") in seen(found)


def test_low_entropy_is_red_when_answers_grow_alike_and_nothing_is_gained() -> None:
    narrow = {"token_entropy": 0.1, "distinct__2": 0.6}
    assert seen(breaches(flat(**narrow), flat())) == {
        ("token entropy", "red"),
        ("distinct-2", "red"),
    }
    for gain in ({"pass_at_1": 0.7}, {"pass_at_8": 0.9}):
        assert {level for _, level in seen(breaches(flat(**narrow, **gain), flat()))} == {"amber"}
    top = {"pass_at_1": 0.9, "pass_at_8": 0.96}
    assert {b.level for b in breaches(flat(**narrow, **top), flat(**top))} == {"amber"}


def test_pass_at_8_that_falls_while_pass_at_1_rises_is_red() -> None:
    found = breaches(flat(pass_at_8=0.7, pass_at_1=0.6), flat())
    assert seen(found) == {("pass@8", "red")}


def test_pass_at_1_below_the_champion_is_amber_and_below_generation_0_red() -> None:
    below_champion = breaches(flat(pass_at_1=0.6), flat(), flat(pass_at_1=0.7))
    assert [(b.signal, b.level, b.against) for b in below_champion] == [
        ("pass@1", "amber", "champion")
    ]
    below_both = breaches(flat(pass_at_1=0.4), flat(), flat(pass_at_1=0.7))
    assert [(b.level, b.against) for b in below_both] == [
        ("red", "generation 0"),
        ("amber", "champion"),
    ]


def test_clipping_is_amber_and_red_when_ability_falls_with_it() -> None:
    assert breaches(flat(clipped_share=0.19), flat()) == []
    assert seen(breaches(flat(clipped_share=0.3), flat())) == {("clipped share", "amber")}
    both = breaches(flat(clipped_share=0.3, pass_at_1=0.4), flat())
    assert ("clipped share", "red") in seen(both)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"correct_length": 13.0}, {("correct length", "amber")}),
        ({"correct_length": 27.0}, {("correct length", "amber")}),
        ({"correct_length": 15.0}, set()),
        ({"length": 40.0}, {("length", "amber")}),
        ({"length": 10.0}, set()),  # a beginner's rambling ended
        ({"distinct__2": 0.97}, {("distinct-2", "amber")}),
        ({"unjudged_share": 0.06}, {("unjudged share", "amber")}),
    ],
)
def test_lengths_variety_and_missing_verdicts(changes, expected) -> None:
    assert seen(breaches(flat(**changes), flat())) == expected


def test_correct_answers_that_are_longer_because_harder_tasks_are_solved_are_no_breach() -> None:
    before, after = flat(tasks=10), flat(tasks=20)
    after["correct length"].update({str(task): 60.0 for task in range(10, 20)})  # type: ignore[attr-defined]
    assert breaches(after, before) == []


def test_too_few_shared_tasks_are_not_compared() -> None:
    before = {**flat(), "token entropy": {str(t): 0.5 for t in range(7)}}
    assert breaches(flat(token_entropy=0.01), before) == []


def test_another_probe_set_or_too_few_attempts_are_refused() -> None:
    other = {name: {f"x{key}": v for key, v in tasks.items()} for name, tasks in flat().items()}
    with pytest.raises(ValueError, match="pass@1 of candidate and generation 0"):
        breaches(flat(), other)
    with pytest.raises(ValueError, match="pass@8 of candidate and champion"):
        breaches(flat(), flat(), tabulate([probes.sample(str(i)) for i in range(20)]))
    with pytest.raises(ValueError, match="cannot be compared"):
        breaches(flat(), {})


def test_the_training_mix_is_checked_against_the_policy() -> None:
    (breach,) = breaches(flat(), flat(), training_mix=self_generated(196, 200))
    assert (breach.signal, breach.level, breach.limit) == ("self-generated share", "amber", 0.95)
    assert breaches(flat(), flat(), training_mix=self_generated(190, 200)) == []


def test_every_sentence_says_what_was_seen_how_sure_what_it_means_and_what_to_do() -> None:
    found = probes.collapsed(np.random.default_rng(0)) + probes.half_as_able(
        np.random.default_rng(0)
    )
    found += breaches(flat(unjudged_share=0.5), flat(), training_mix=self_generated(1, 1))
    assert len({breach.signal for breach in found}) >= 6
    for breach in found:
        text = breach.sentence
        assert text[0] == text[0].upper()
        assert text.endswith(".")
        assert "95 % interval" in text or "no estimate" in text
        assert "usually means" in text
        assert "to do:" in text


def test_red_comes_first() -> None:
    found = probes.collapsed(np.random.default_rng(3))
    assert [b.level for b in found] == sorted((b.level for b in found), reverse=True)


@pytest.mark.parametrize(
    "changes",
    [{"entropy": float("nan")}, {"diversity": 0.0}, {"length": 1.0}, {"min_tasks": 1}, {"k": 0}],
)
def test_an_impossible_limit_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"the limit {next(iter(changes))}"):
        Limits(**changes)  # type: ignore[arg-type]
