"""Evidence in words: what a verdict was made of, however deep, and harmless."""

from __future__ import annotations

import pytest

from reviews.grounds import DEEPEST, ROWS_SHOWN, cell, grounds_of
from tests import factories
from tests.pages.people import signed_in, text_of

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e<img src=x onerror=alert(1)>"
VOTES = [
    {"seed": 1, "verdict": "pass", "reason": "it is red", "cached": False},
    {"seed": 2, "verdict": "fail", "reason": HOSTILE, "cached": True},
]
PART = {"kind": "judge", "answer": "fail", "score": 0.5, "milliseconds": 3.1}
WHOLE = {
    "reason": "part 1: one of two votes", "expected": "red", "found": "blue", "step": None,
    "cases": {"of": 3, "passed": 1},
    "parts": [PART | {"evidence": {"reason": "one of two votes", "found": "blue", "votes": VOTES}}],
}  # fmt: skip


def page_of(evidence: object) -> str:
    attempt = factories.make_trajectory("unverified")
    factories.make_verdict(attempt, "fail", evidence=evidence)
    return text_of(signed_in("engineer").get(f"/trajectories/{attempt.pk}/"))


def test_the_reason_stands_first_and_numbers_that_belong_together_are_one_fact() -> None:
    facts = grounds_of(WHOLE).facts
    assert [name for name, _ in facts] == ["reason", "expected", "found", "cases"]
    assert facts[-1] == ("cases", "passed 1, of 3")


def test_parts_have_their_verdict_and_leave_out_what_the_whole_has_said() -> None:
    (part,) = grounds_of(WHOLE).parts
    assert (part.kind, part.answer, part.score) == ("judge", "fail", 0.5)
    assert part.grounds.facts == [("reason", "one of two votes")]
    (votes,) = part.grounds.tables
    assert votes.columns == ["seed", "verdict", "cached", "reason"]
    assert votes.rows[0] == ["1", "pass", "no", "it is red"]


@pytest.mark.django_db
def test_the_page_shows_no_python_and_no_markup_of_the_model() -> None:
    page = page_of(WHOLE)
    for part in ("{&#x27;", "[{", "None", "<script>alert", "<img src", "\x1b", "\u202e"):
        assert part not in page.partition('class="evidence')[2].partition("<aside")[0]
    assert "one of two votes" in page
    assert "it is red" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "evidence",
    [
        {},
        ["a", "list"],
        {"parts": "none"},
        {"parts": [1, {"a": 2}]},
        {"parts": [{"kind": [1], "answer": ["x"], "score": "high", "evidence": "text"}]},
        {"votes": [{}, {"a": [{"b": [1]}]}], "step": True},
        {HOSTILE: [{HOSTILE: HOSTILE}]},
    ],
)
def test_evidence_of_any_shape_can_be_read(evidence: object) -> None:
    page = page_of(evidence)
    assert "<script>alert" not in page
    assert "by goal-state 1" in page


def test_parts_within_parts_end_somewhere() -> None:
    evidence: dict[str, object] = {"reason": "deep"}
    for _ in range(50):
        evidence = {"parts": [PART | {"evidence": evidence}]}
    grounds, depth = grounds_of(evidence), 0
    while grounds.parts:
        grounds, depth = grounds.parts[0].grounds, depth + 1
    assert depth == DEEPEST
    assert grounds.cut


def test_a_long_list_is_cut_and_says_so() -> None:
    (table,) = grounds_of({"fields": [{"field": n} for n in range(ROWS_SHOWN + 7)]}).tables
    assert len(table.rows) == ROWS_SHOWN
    assert table.hidden == 7


def test_values_are_written_as_people_write_them() -> None:
    assert [cell(v) for v in (None, True, False, 3, [1, "a"], {"of": 3, "passed": 1})] == [
        "–", "yes", "no", "3", "1, a", "passed 1, of 3",
    ]  # fmt: skip
