"""What each task format becomes."""

from __future__ import annotations

from typing import Any

import pytest

from improvement.ingest.tasks import fingerprint_of
from improvement.verifiers.base import trajectory_of
from improvement.verifiers.build import build
from tests.reading import GSM8K, HUMANEVAL, MBPP, NATIVE, draft, lines


def test_a_native_line_needs_only_a_prompt_and_a_reference() -> None:
    found = draft(NATIVE)
    assert (found.prompt, found.reference) == ("What is 2 + 2?", {"answer": "4"})
    assert (found.verifier, found.family, found.level, found.split) == ({}, "default", 1, "")
    assert found.id == f"task-{fingerprint_of(found.prompt)[:16]}"


def test_a_native_line_with_every_field() -> None:
    more = {"id": 7, "verifier": "number", "family": "sums", "level": 3, "split": "heldout"}
    found = draft(NATIVE | more)
    assert (found.id, found.verifier, found.split) == ("7", {"kind": "number"}, "heldout")
    record = found.as_record()
    assert (record.key, record.family, record.level, record.split) == ("7", "sums", 3, "heldout")
    assert draft(NATIVE).as_record("dev").split == "dev"


@pytest.mark.parametrize("value", ["4", 4, 4.5, True, [1, 2]])
def test_a_bare_reference_is_an_answer(value: Any) -> None:
    assert draft(NATIVE | {"reference": value}).reference == {"answer": value}


def test_gsm8k_keeps_the_number_after_the_mark() -> None:
    found = draft(GSM8K)
    assert found.reference["answer"] == "1072"
    assert found.reference["solution"].startswith("48/2")
    assert (found.verifier["kind"], found.family) == ("number", "gsm8k")


def test_humaneval_keeps_its_check() -> None:
    found = draft(HUMANEVAL)
    assert found.id == "HumanEval/0"
    assert found.verifier == {"kind": "asserts"}
    assert found.reference == {
        "entry_point": "add",
        "tests": HUMANEVAL["test"],
        "prompt": HUMANEVAL["prompt"],
        "solution": HUMANEVAL["canonical_solution"],
    }


def test_mbpp_shows_its_first_assert_and_finds_the_function() -> None:
    found = draft(MBPP)
    assert (found.id, found.reference["entry_point"]) == ("2", "similar")
    assert found.prompt.endswith(MBPP["test_list"][0])
    assert MBPP["test_list"][1] not in found.prompt
    assert found.reference["tests"] == MBPP["test_list"]
    assert "setup" not in found.reference


def test_mbpp_sanitized_has_a_prompt_and_imports() -> None:
    row = {k: v for k, v in MBPP.items() if k not in ("text", "test_setup_code")}
    imports = ["import math"]
    tests = ["assert math.isclose(area(2), 4, rel_tol=0.01)"]
    found = draft(row | {"prompt": "Area.", "test_imports": imports, "test_list": tests})
    assert found.reference["setup"] == "import math"
    assert found.reference["entry_point"] == "area"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (GSM8K, "#### 72"),
        (HUMANEVAL, "def add(a, b):\n    return a - b"),
        (MBPP, "def similar(a, b):\n    return ()"),
    ],
)
def test_the_verifier_of_a_ready_format_passes_the_gold_alone(row: Any, wrong: str) -> None:
    found = draft(row)
    verifier, task = build(found.verifier), found.as_record()
    gold = verifier.gold(task)
    assert gold
    judged = verifier.judge(task, trajectory_of(task, gold))
    assert judged.answer == "pass", judged.evidence
    assert verifier.judge(task, trajectory_of(task, wrong)).answer == "fail"
    assert verifier.judge(task, trajectory_of(task, "")).answer == "fail"


CSV = b"""prompt,answer,level,family,verifier,split
"What is 2, and 2?",4,2,sums,number,dev
"Two
lines",x,,,"{""kind"": ""exact"", ""normalise"": [""case""]}",
"""


def test_csv_with_quotes_and_line_ends() -> None:
    one, other = (line.draft for line in lines(CSV.rstrip(b"\n")))
    assert one
    assert other
    assert (one.prompt, one.reference, one.level) == ("What is 2, and 2?", {"answer": "4"}, 2)
    assert (one.family, one.verifier, one.split) == ("sums", {"kind": "number"}, "dev")
    assert (other.prompt, other.family, other.level) == ("Two\nlines", "default", 1)
    assert other.verifier == {"kind": "exact", "normalise": ["case"]}


def test_a_csv_without_a_verifier_is_exact() -> None:
    (found,) = lines(b"Question,Answer,id\nWhat?,yes,q1")
    assert found.draft
    assert (found.draft.id, found.draft.verifier) == ("q1", {"kind": "exact"})


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        (b"a,4,x", "level", "whole number"),
        (b"a,4,0", "level", "between 1 and"),
        (b",4,1", "prompt", "is missing"),
        (b"a,,1", "answer", "is missing"),
        (b"a,4,1,5", "line", "4 cells under a header of 3"),
        (b"\xff,4,1", "prompt", "not valid UTF-8"),
        (b'"a"b,4,1', "line", "is not CSV"),
        (b"a\x00,4,1", "prompt", "NUL"),
    ],
)
def test_a_bad_csv_record_is_named_and_the_next_is_kept(
    body: bytes, field: str, words: str
) -> None:
    bad, good = lines(b"prompt,answer,level\n" + body + b"\nnext,1,1")
    assert (bad.number, good.number) == (2, 3)
    assert [p.field for p in bad.problems] == [field]
    assert words in bad.problems[0].message
    assert good.draft


def test_a_quote_that_is_never_closed_does_not_take_the_file_along() -> None:
    rows = b"\n".join(b"q%d,%d" % (n, n) + b"x" * 2000 for n in range(1200))
    found = lines(b'prompt,answer\nfirst,1\n"open,2\n' + rows)
    assert found[0].draft
    assert any("is not CSV" in line.problems[0].message for line in found if line.problems)
    assert sum(line.draft is not None for line in found) > 100
