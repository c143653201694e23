"""The exact verifier, and finding and normalising answers in text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.verifiers import text
from improvement.verifiers.base import SpecError, digest
from improvement.verifiers.build import build
from tests.loop.judged import answer, judged, task_with

ALL_STEPS = list(text.STEPS)


def test_the_same_text_passes_and_white_space_around_it_does_not_matter() -> None:
    assert answer("exact", "Paris", "  Paris\n") == "pass"


@pytest.mark.parametrize("output", ["", " ", "paris", "Paris.", "Paris, France", "Lyon", "P aris"])
def test_without_further_steps_every_other_spelling_fails(output: str) -> None:
    found = judged("exact", {"answer": "Paris"}, output)
    assert (found.answer, found.score) == ("fail", 0.0)
    assert found.evidence["expected"] == "Paris"
    assert found.evidence["found"] == output


def test_any_accepted_answer_passes() -> None:
    accepted = ["U.S.", "United States"]
    assert answer("exact", accepted, "United States") == "pass"
    assert answer("exact", accepted, "States") == "fail"


@pytest.mark.parametrize(
    ("steps", "expected", "output"),
    [
        (["case"], "Straße", "STRASSE"),
        (["whitespace"], "a b", " a \n\t b "),
        (["punctuation"], "yes", "\"yes!\""),
        (["articles", "case", "whitespace"], "eiffel tower", "The Eiffel  Tower"),
        (["unicode"], "fine", "ﬁne"),
        (["unicode"], "é", "e\u0301"),
        (ALL_STEPS, "The U.S.", "us"),
    ],
)
def test_a_step_makes_two_spellings_alike(steps: list[str], expected: str, output: str) -> None:
    assert answer({"kind": "exact", "normalise": steps}, expected, output) == "pass"
    assert answer({"kind": "exact", "normalise": []}, expected, output) == "fail"


def test_an_order_of_steps_is_no_other_verifier() -> None:
    one = build({"kind": "exact", "normalise": ["case", "strip"]})
    other = build({"kind": "exact", "normalise": ["strip", "case"]})
    assert digest(one) == digest(other) != digest(build("exact"))


@pytest.mark.parametrize("reference", [{}, {"answer": ""}, {"answer": []}, {"answer": 4},
                                       {"answer": ["a", ""]}, {"answer": ["a", None]}])  # fmt: skip
def test_a_task_without_a_usable_answer_is_an_error(reference: dict[str, object]) -> None:
    assert judged("exact", reference, "a").answer == "error"
    assert build("exact").gold(task_with(reference)) is None


def test_a_reference_that_normalises_to_nothing_is_an_error_and_empty_never_passes() -> None:
    spec = {"kind": "exact", "normalise": ["punctuation"]}
    assert answer(spec, "!!!", "") == "error"
    assert answer(spec, "!!!", "???") == "error"


@pytest.mark.parametrize(
    ("where", "output", "found"),
    [
        ("last_line", "think\nmore\nParis\n\n", "Paris"),
        ("after:Answer:", "Answer: Lyon\nno, Answer:  Paris \nthat is it", "Paris"),
        ("after:Answer:", "Answer:\n\n Paris", "Paris"),
        ("boxed", r"\boxed{Lyon} then \boxed{ Paris }", "Paris"),
        ("boxed", r"\boxed{\frac{1}{2}} end", r"\frac{1}{2}"),
        ("boxed", r"\boxed{a\}b}", r"a\}b"),
        ("gsm8k", "so 3 + 4\n#### 7", "7"),
        ("fenced", "```json\n1\n```\ntext\n```\n2\n```", "2"),
    ],
)
def test_the_last_answer_of_its_kind_is_the_answer(where: str, output: str, found: str) -> None:
    assert text.extract(where, output) == found


@pytest.mark.parametrize(
    ("where", "output"),
    [
        ("boxed", "Paris"), ("boxed", r"\boxed{Paris"), ("boxed", r"\boxed{}"),
        ("boxed", r"\boxed{" * 20_000), ("gsm8k", "7"), ("gsm8k", "####"),
        ("after:Answer:", "Paris"), ("after:Answer:", "Answer:"), ("last_line", " \n "),
        ("fenced", "```\nParis"), ("fenced", "Paris"),
    ],
)  # fmt: skip
def test_an_output_without_that_place_fails_and_says_so(where: str, output: str) -> None:
    found = judged({"kind": "exact", "extract": where}, {"answer": "Paris"}, output)
    assert found.answer == "fail"
    assert found.evidence["reason"].startswith(("the answer has no", "no answer follows"))


@pytest.mark.parametrize("where", [*text.PLACES, "after:So:"])
def test_the_gold_passes_wherever_the_answer_is_looked_for(where: str) -> None:
    verifier = build({"kind": "exact", "extract": where})
    gold = verifier.gold(task_with({"answer": ["x = 1", "1"]}))
    assert gold is not None
    assert answer(verifier, ["x = 1", "1"], gold) == "pass"


@pytest.mark.parametrize(
    "settings",
    [{"normalize": []}, {"normalise": "case"}, {"normalise": ["upper"]}, {"normalise": [["case"]]},
     {"extract": "first"}, {"extract": "after:"}, {"extract": "after:  "}, {"extract": 1}],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused_by_name(settings: dict[str, object]) -> None:
    with pytest.raises(SpecError, match=next(iter(settings))):
        build({"kind": "exact", **settings})


def test_text_that_is_no_valid_unicode_fails() -> None:
    assert answer("exact", "a", "a\ud800") == "fail"


def test_a_million_characters_are_compared_and_one_more_is_a_fail() -> None:
    spec = {"kind": "exact", "normalise": ALL_STEPS}
    assert answer(spec, "b", "b" * 1_000_000) == "fail"
    found = judged("exact", {"answer": "a"}, "a" * 1_000_001)
    assert "1,000,001 characters" in found.evidence["reason"]


@given(st.text(max_size=60), st.lists(st.sampled_from(ALL_STEPS), unique=True))
def test_normalising_twice_does_no_more_than_once(words: str, steps: list[str]) -> None:
    once = text.normalise(text.steps("exact", steps), words)
    assert text.normalise(text.steps("exact", steps), once) == once


@given(st.text(alphabet="#\\boxed{} \nAnswer:`a1", max_size=80))
def test_extracting_never_raises_and_never_gives_blanks(words: str) -> None:
    for where in ("last_line", "boxed", "gsm8k", "fenced", "after:A"):
        found = text.extract(where, words)
        assert found is None or found.strip() == found != ""
