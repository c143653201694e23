"""Combinators: truth tables, errors that are never fails, digests and nesting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.records import Answer, Judgement
from improvement.verifiers.base import SpecError, digest
from improvement.verifiers.build import build
from improvement.verifiers.rules import all_of, any_of, first_decisive, weighted_sum
from tests.loop.judged import judged, task_with

YES = "exact"
NO = {"kind": "exact", "extract": "boxed"}
BROKEN = "fields"  # its reference is missing
REFERENCE = {"answer": "36"}
ANSWERS: tuple[Answer, ...] = ("pass", "fail", "error")
answers = st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=6)


def combined(kind: str, *of: Any, output: str = "36", **settings: Any) -> Judgement:
    return judged({"kind": kind, "of": list(of), **settings}, REFERENCE, output)


def as_judgements(given: Sequence[Answer]) -> list[Judgement]:
    scores = {"pass": 1.0, "fail": 0.0, "error": None}
    return [Judgement(one, scores[one], {"reason": one}) for one in given]


@given(answers)
def test_all_follows_its_truth_table(given: list[Answer]) -> None:
    expected = "fail" if "fail" in given else "error" if "error" in given else "pass"
    assert all_of(as_judgements(given)).answer == expected


@given(answers)
def test_any_follows_its_truth_table(given: list[Answer]) -> None:
    expected = "pass" if "pass" in given else "error" if "error" in given else "fail"
    assert any_of(as_judgements(given)).answer == expected


@given(answers)
def test_the_first_that_decides_decides(given: list[Answer]) -> None:
    expected = next((one for one in given if one != "error"), "error")
    assert first_decisive(as_judgements(given)).answer == expected


@given(answers, st.data())
def test_a_weighted_sum_is_an_error_only_where_the_missing_part_could_change_it(
    given: list[Answer], data: st.DataObject
) -> None:
    weight = st.fractions(min_value=Fraction(1, 10), max_value=5, max_denominator=10)
    weights = data.draw(st.lists(weight, min_size=len(given), max_size=len(given)))
    threshold = data.draw(st.fractions(min_value=Fraction(1, 20), max_value=1))
    decide = weighted_sum(weights, threshold)
    decided = decide(as_judgements(given))
    possible = {
        decide(as_judgements([filled if one == "error" else one for one in given])).answer
        for filled in ("pass", "fail")
    }
    assert decided.answer == (possible.pop() if len(possible) == 1 else "error")
    assert (decided.score is None) == (decided.answer == "error")


@given(answers)
def test_an_error_is_never_counted_as_a_fail(given: list[Answer]) -> None:
    """With every error turned into a pass, no answer becomes a fail that was none."""
    for rule in (all_of, any_of, weighted_sum([Fraction(1)] * len(given), Fraction(1, 2))):
        if rule(as_judgements(given)).answer == "fail":
            better: list[Answer] = ["pass" if one == "error" else one for one in given]
            assert rule is all_of or rule(as_judgements(better)).answer == "fail" or rule is any_of
            assert "fail" in given


def test_the_evidence_has_one_entry_a_part() -> None:
    found = combined("all", YES, NO, BROKEN)
    assert found.answer == "fail"
    assert [part["answer"] for part in found.evidence["parts"]] == ["pass", "fail", "error"]
    assert [part["kind"] for part in found.evidence["parts"]] == ["exact", "exact", "fields"]
    assert found.evidence["reason"].startswith("part 2: the answer has no")


def test_an_error_of_a_part_is_an_error_of_the_whole_unless_another_part_settles_it() -> None:
    assert combined("all", YES, BROKEN).answer == "error"
    assert combined("all", NO, BROKEN).answer == "fail"
    assert combined("any", NO, BROKEN).answer == "error"
    assert combined("any", YES, BROKEN).answer == "pass"


def weighted(*entries: tuple[Any, float], threshold: float, output: str = "36") -> Judgement:
    of = [{"verifier": verifier, "weight": weight} for verifier, weight in entries]
    return judged({"kind": "weighted", "of": of, "threshold": threshold}, REFERENCE, output)


def test_weights_are_summed_exactly() -> None:
    found = weighted((YES, 0.1), (YES, 0.2), (NO, 0.7), threshold=0.3)
    assert (found.answer, found.score) == ("pass", 0.3)  # 0.1 + 0.2 > 0.3 in floating point
    assert weighted((YES, 2), (NO, 1), threshold=0.7).answer == "fail"
    assert weighted((YES, 2), (BROKEN, 1), threshold=0.7).answer == "error"
    assert weighted((YES, 7), (BROKEN, 3), threshold=0.7).answer == "pass"


def test_partial_scores_never_add_up_to_a_pass() -> None:
    nearly = {"kind": "weighted", "of": [{"verifier": YES, "weight": 9}, {"verifier": NO}],
              "threshold": 1}  # fmt: skip
    assert weighted((nearly, 1), (nearly, 1), threshold=0.5).score == 0.0


def test_the_first_decisive_asks_no_further_and_ends_with_a_person() -> None:
    found = combined("first_decisive", BROKEN, YES, NO)
    assert found.answer == "pass"
    assert len(found.evidence["parts"]) == 2
    undecided = combined("first_decisive", BROKEN, "person")
    assert (undecided.answer, undecided.evidence["needs_person"]) == ("error", True)
    assert combined("first_decisive", BROKEN).evidence["needs_person"] is True


def test_a_part_that_waits_for_a_person_makes_the_whole_wait() -> None:
    assert combined("all", YES, "person").evidence["needs_person"] is True
    assert combined("all", NO, "person").answer == "fail"
    assert "needs_person" not in combined("all", YES, BROKEN).evidence


def test_what_the_parts_are_is_what_the_whole_is() -> None:
    plain, waiting = build({"kind": "all", "of": [YES]}), build({"kind": "any", "of": ["person"]})
    assert (plain.deterministic, plain.needs_person) == (True, False)
    assert waiting.needs_person
    assert build({"kind": "first_decisive", "of": [YES]}).needs_person


def test_the_digest_covers_the_parts_and_their_weights() -> None:
    specs: list[Mapping[str, Any]] = [
        {"kind": "all", "of": [YES]}, {"kind": "any", "of": [YES]}, {"kind": "all", "of": [NO]},
        {"kind": "all", "of": [YES, NO]}, {"kind": "all", "of": [NO, YES]},
        {"kind": "weighted", "of": [{"verifier": YES, "weight": 1}], "threshold": 0.5},
        {"kind": "weighted", "of": [{"verifier": YES, "weight": 2}], "threshold": 0.5},
        {"kind": "weighted", "of": [{"verifier": YES, "weight": 2}], "threshold": 0.6},
    ]  # fmt: skip
    assert len({digest(build(spec)) for spec in specs}) == len(specs)
    part = build({"kind": "all", "of": [YES]}).settings["of"][0]
    assert part == {"kind": "exact", "version": "1", "settings": dict(build(YES).settings)}


def test_the_gold_is_one_that_passes() -> None:
    number = {"kind": "number", "extract": "last_number"}
    for of in ([number, NO], [NO, number]):
        verifier = build({"kind": "all", "of": of})
        assert verifier.gold(task_with(REFERENCE)) == r"\boxed{36}"
    assert build({"kind": "any", "of": ["person", YES]}).gold(task_with(REFERENCE)) == "36"
    assert build({"kind": "all", "of": ["person", YES]}).gold(task_with(REFERENCE)) is None
    assert build({"kind": "all", "of": ["person"]}).gold(task_with(REFERENCE)) is None


def nested(levels: int) -> Any:
    return YES if levels == 1 else {"kind": "all", "of": [nested(levels - 1)]}


def test_five_levels_are_built_and_six_or_a_million_are_refused() -> None:
    assert judged(nested(5), REFERENCE, "36").answer == "pass"
    with pytest.raises(SpecError, match="levels"):
        build(nested(6))
    deep: Any = YES
    for _ in range(100_000):
        deep = {"kind": "weighted", "of": [{"verifier": deep}], "threshold": 1}
    with pytest.raises(SpecError, match="levels"):
        build(deep)


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "all"}, {"kind": "all", "of": []}, {"kind": "all", "of": "exact"},
        {"kind": "all", "of": [1]}, {"kind": "all", "of": ["exact"] * 21},
        {"kind": "any", "of": [None]},
        {"kind": "all", "of": ["no such kind"]}, {"kind": "all", "of": ["exact"], "threshold": 1},
        {"kind": "weighted", "of": ["exact"], "threshold": 0.5},
        {"kind": "weighted", "of": [{"verifier": "exact"}]},
        {"kind": "weighted", "of": [{"verifier": "exact"}], "threshold": 0},
        {"kind": "weighted", "of": [{"verifier": "exact"}], "threshold": 1.1},
        {"kind": "weighted", "of": [{"verifier": "exact", "weight": 0}], "threshold": 1},
        {"kind": "weighted", "of": [{"verifier": "exact", "weight": -1}], "threshold": 1},
        {"kind": "weighted", "of": [{"verifier": "exact", "wait": 1}], "threshold": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_combination_that_makes_no_sense_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        build(spec)


def test_parts_may_be_of_a_kind_of_ones_own() -> None:
    own = {"mine": "improvement.verifiers.exact:make"}
    verifier = build({"kind": "all", "of": [{"kind": "any", "of": ["mine"]}]}, more=own)
    assert judged(verifier, REFERENCE, "36").answer == "pass"
