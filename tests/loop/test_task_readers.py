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

from improvement.ingest.tasks import FormatError, read
from improvement.ingest.tasks.lines import LONGEST
from tests.reading import GSM8K, HUMANEVAL, MBPP, NATIVE, lines, problems


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
