"""Reading files of tasks: every format, and every way in which a line can be bad."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvement.ingest.tasks import Draft, FormatError, Line, fingerprint_of, read
from improvement.ingest.tasks.lines import LONGEST
from improvement.verifiers.base import trajectory_of
from improvement.verifiers.build import build

GSM8K = {
    "question": "Natalia sold clips to 48 friends, then half as many. How many?",
    "answer": "48/2 = <<48/2=24>>24.\n48+24 = 72.\n#### 1,072",
}
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def add(a, b):\n    """Add."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
}
MBPP = {
    "task_id": 2,
    "text": "Write a function to find the shared elements of two tuples.",
    "code": "def similar(a, b):\n    return tuple(set(a) & set(b))",
    "test_setup_code": "",
    "test_list": [
        "assert set(similar((3, 4), (5, 4))) == set((4,))",
        "assert similar((), ()) == ()",
    ],
}
NATIVE = {"prompt": "What is 2 + 2?", "reference": {"answer": "4"}}


def lines(*rows: Any, format: str = "auto", name: str = "") -> list[Line]:
    """What is read from rows: bytes as they are, all else as JSON."""
    data = b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in rows)
    stream = io.BytesIO(data)
    stream.name = name
    return list(read(stream, format))


def draft(row: Any, format: str = "auto") -> Draft:
    found = lines(row, format=format)[0]
    assert found.draft, found.problems
    return found.draft


def problems(row: Any, format: str = "native") -> dict[str, str]:
    found = lines(row, format=format)[0]
    assert found.draft is None
    return {problem.field: problem.message for problem in found.problems}


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
    assert (found.id, found.reference["entry_point"]) == ("mbpp-2", "similar")
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


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (NATIVE, "What is 2 + 2?"),
        (GSM8K, GSM8K["question"]),
        (HUMANEVAL, HUMANEVAL["prompt"]),
        (b"prompt,answer\na,b", "a"),
    ],
)
def test_the_format_is_seen(row: Any, expected: str) -> None:
    assert lines(b"", row)[0].draft.prompt == expected  # type: ignore[union-attr]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert lines(b"\xef\xbb\xbf" + json.dumps(NATIVE).encode())[0].draft


BAD: list[tuple[Any, str, str]] = [
    (b"nonsense", "line", "is not JSON"),
    (b'{"prompt": "a", "reference": 1', "line", "is not JSON"),
    (b"[1, 2]", "line", "is a list"),
    (b"3", "line", "not an object"),
    (b'{"prompt": "\xff", "reference": 1}', "line", "is not UTF-8 (byte 13)"),
    (b'{"prompt": "a", "reference": NaN}', "line", "NaN"),
    (b'{"prompt": "a", "reference": 1e999}', "reference", "too large"),
    (b'{"prompt": "a", "reference": ' + b"9" * 5000 + b"}", "line", "is not JSON"),
    (b'{"prompt": "a", "reference": ' + b"[" * 100_000, "line", "nested deeper"),
    (b'{"prompt": "a", "reference": ' + b"[" * 99 + b"]" * 99 + b"}", "reference", "nested"),
    (b'{"prompt": "a", "reference": {"x": "\\u0000"}}', "reference", "NUL"),
    (b'{"prompt": "a", "reference": {"\\u0000": 1}}', "reference", "NUL"),
    (b'{"prompt": "\\ud800", "reference": 1}', "prompt", "not valid UTF-8"),
    ({"reference": 1}, "prompt", "is missing"),
    ({"prompt": " \n", "reference": 1}, "prompt", "is empty"),
    ({"prompt": 3, "reference": 1}, "prompt", "must be text, not a number"),
    ({"prompt": "a" * 200_001, "reference": 1}, "prompt", "200,001 characters"),
    ({"prompt": "a"}, "reference", "is missing"),
    ({"prompt": "a", "reference": None}, "reference", "not null"),
    (NATIVE | {"verifier": 3}, "verifier", "must be a kind's name or an object"),
    (NATIVE | {"level": 0}, "level", "between 1 and 32,767"),
    (NATIVE | {"level": 32_768}, "level", "between 1 and 32,767"),
    (NATIVE | {"level": True}, "level", "must be a whole number, not true or false"),
    (NATIVE | {"level": "2"}, "level", "must be a whole number, not text"),
    (NATIVE | {"level": 1.5}, "level", "must be a whole number"),
    (NATIVE | {"split": "test"}, "split", "train, dev or heldout"),
    (NATIVE | {"split": ["train"]}, "split", "train, dev or heldout"),
    (NATIVE | {"id": "x" * 121}, "id", "121 characters"),
    (NATIVE | {"id": "a\nb"}, "id", "can't be printed"),
    (NATIVE | {"id": {}}, "id", "must be text"),
    (NATIVE | {"family": "x" * 61}, "family", "61 characters"),
    (NATIVE | {"family": 3}, "family", "must be text"),
]


@pytest.mark.parametrize(("row", "field", "words"), BAD)
def test_a_bad_line_is_named_by_field(row: Any, field: str, words: str) -> None:
    found = problems(row)
    assert set(found) == {field}
    assert words in found[field]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (GSM8K | {"answer": "72"}, "answer"),
        (GSM8K | {"answer": "#### many"}, "answer"),
        ({"answer": "#### 1"}, "question"),
        (HUMANEVAL | {"test": "assert add(1, 2) == 3"}, "test"),
        (HUMANEVAL | {"entry_point": "a b"}, "entry_point"),
        (HUMANEVAL | {"entry_point": None}, "entry_point"),
        (MBPP | {"test_list": []}, "test_list"),
        (MBPP | {"test_list": "assert f(1)"}, "test_list"),
        (MBPP | {"test_list": ["assert True"]}, "test_list"),
        (MBPP | {"text": ""}, "text"),
    ],
)
def test_a_bad_line_of_the_ready_formats(row: Any, field: str) -> None:
    format = {"test": "humaneval", "question": "gsm8k", "answer": "gsm8k"}
    kind = next((format[key] for key in row if key in format), "mbpp")
    assert field in problems(row, kind)


def test_all_problems_of_a_line_are_named_at_once() -> None:
    found = problems({"prompt": "", "reference": 1, "level": 0, "split": "x"})
    assert set(found) == {"prompt", "level", "split"}


def test_good_lines_around_bad_ones_are_kept_with_their_numbers() -> None:
    found = lines(NATIVE, b"", b"nonsense", NATIVE, b"\xff\xfe")
    assert [(line.number, line.draft is not None) for line in found] == [
        (1, True), (3, False), (4, True), (5, False),
    ]  # fmt: skip


def test_fields_that_are_not_read_are_named() -> None:
    assert lines(NATIVE | {"leve": 3})[0].ignored == ("leve",)


def test_the_verifier_is_checked_where_the_caller_can() -> None:
    stream = io.BytesIO(json.dumps(NATIVE | {"verifier": "x"}).encode())
    (found,) = read(stream, check=lambda spec: f"kind {spec['kind']} is unknown")
    assert [(p.field, p.message) for p in found.problems] == [("verifier", "kind x is unknown")]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(FormatError, match="native, gsm8k"):
        read(io.BytesIO(), "xml")


def test_an_empty_file_has_no_lines() -> None:
    assert lines(b"") == []


class Endless(io.RawIOBase):
    """A file that is made while it is read: one line of 50 MB between two good ones."""

    def __init__(self) -> None:
        good = json.dumps(NATIVE).encode() + b"\n"
        self._parts: Iterator[bytes] = iter([good, *[b"x" * (1 << 20)] * 50, b"\n", good])
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._parts, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def test_a_line_of_50_mb_is_skipped_without_being_held() -> None:
    tracemalloc.start()
    found = list(read(io.BufferedReader(Endless())))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line.draft is not None for line in found] == [True, False, True]
    assert found[1].problems[0].message == "is longer than 8 MB"
    assert peak < 4 * LONGEST


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["id", "prompt", "reference", "verifier", "family", "level", "split"])


@settings(deadline=None)
@given(st.dictionaries(names, json_values), st.sampled_from(["native", "gsm8k", "mbpp", "csv"]))
def test_any_object_is_a_draft_or_has_problems(row: dict[str, Any], format: str) -> None:
    for line in lines(row, format=format):
        assert (line.draft is None) == bool(line.problems)
        if line.draft:
            json.dumps(line.draft.reference, allow_nan=False).encode()
            assert 1 <= line.draft.level <= 32_767
            assert 0 < len(line.draft.id) <= 120


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["auto", "native", "humaneval", "csv"]))
def test_any_bytes_are_read_without_an_exception(data: bytes, format: str) -> None:
    for line in read(io.BytesIO(data), format):
        assert (line.draft is None) == bool(line.problems)
