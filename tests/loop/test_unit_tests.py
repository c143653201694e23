"""Unit tests given as cases: what they compare, and how they say what went wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.records import Judgement, TaskRecord
from improvement.sandbox.inside.tagged import decode
from improvement.sandbox.records import SandboxRefused
from improvement.verifiers import unit_tests
from improvement.verifiers.base import SpecError, digest, trajectory_of
from improvement.verifiers.build import build
from improvement.verifiers.same import same

SQUARE = "def f(x):\n    return x * x\n"
CASES = [{"args": [2], "expected": 4}, {"args": [3], "expected": 9}]


def task(reference: dict[str, Any]) -> TaskRecord:
    return TaskRecord("t", "code", 1, "train", "p", reference, "x")


def judge(text: str, cases: Any = CASES, settings: Any = None, **more: Any) -> Judgement:
    one = task({"entry_point": "f", "cases": cases, **more})
    return build({"kind": "unit_tests", **(settings or {})}).judge(one, trajectory_of(one, text))


@pytest.mark.parametrize(("fast", "wall"), [(True, "monty"), (False, "process")])
def test_a_right_program_passes_on_both_paths(fast: bool, wall: str) -> None:
    found = judge(SQUARE, settings={"fast": fast})
    assert (found.answer, found.score) == ("pass", 1.0)
    assert found.evidence["wall"] == wall
    assert found.evidence["cases"] == {"passed": 2, "of": 2}


def test_a_wrong_program_fails_behind_the_wall_and_the_evidence_names_the_case() -> None:
    found = judge("def f(x):\n    print('now', x)\n    return x + 2\n")
    assert (found.answer, found.score) == ("fail", 0.0)
    assert found.evidence["wall"] == "process"
    assert found.evidence["case"] == 2
    assert (found.evidence["args"], found.evidence["expected"]) == ("[3]", "9")
    assert found.evidence["found"] == "5"
    assert found.evidence["printed"].startswith("now 2")
    assert found.evidence["cases"] == {"passed": 1, "of": 2}


def test_partial_credit_is_a_score_and_never_a_pass() -> None:
    found = judge("def f(x): return x + 2", settings={"partial": True})
    assert (found.answer, found.score) == ("fail", 0.5)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(x):\n    while True: pass", "longer than 0.2 s"),
        ("def f(x):\n    return bytearray(1 << 40)", "MB of memory"),
        ("def f(x):\n    while True: print('x' * 10000)", "printed more than"),
        ("import os\ndef f(x): os._exit(0)", "left before"),
        ("import sys\ndef f(x): sys.exit(0)", "left before"),
        ("import ctypes\ndef f(x): ctypes.string_at(0)", "crashed"),
        ("def g(x): return x", "NameError"),
        ("def f(x): return (", "could not be loaded"),
        ("1 / 0", "ZeroDivisionError"),
        ("def f(x): raise KeyError('k')", "case 1 is wrong"),
        ("def f(x, y): return 1", "case 1 is wrong"),
    ],
)
def test_what_the_program_did_is_a_fail_in_plain_words(source: str, words: str) -> None:
    limits = {"seconds": 0.3, "call_seconds": 0.2, "memory_mb": 128}
    found = judge(source, settings={"limits": limits})
    assert (found.answer, found.score) == ("fail", 0.0)
    assert words in f"{found.evidence['reason']} {found.evidence['found']}"


def test_a_program_that_goes_wrong_after_its_last_answer_still_gave_it() -> None:
    """All calls were answered: what daemon threads do then is nobody's business."""
    source = "import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()\n"
    assert judge(source + SQUARE).answer == "pass"


@pytest.mark.parametrize(
    ("raises", "source", "answer"),
    [
        ("ValueError", "def f(x): raise ValueError('no')", "pass"),
        ("LookupError", "def f(x): raise KeyError(x)", "pass"),
        ("KeyError", "def f(x): raise LookupError(x)", "fail"),
        ("ValueError", "def f(x): return None", "fail"),
        ("ValueError", "def f(x): return ValueError()", "fail"),
        ("ValueError", "import os\ndef f(x): os._exit(0)", "fail"),
        ("Mine", "class Mine(Exception): pass\ndef f(x): raise Mine", "pass"),
    ],
)
def test_an_expected_exception(raises: str, source: str, answer: str) -> None:
    assert judge(source, [{"args": [1], "raises": raises}]).answer == answer


@pytest.mark.parametrize(
    ("expected", "found", "exact", "by_value"),
    [
        (1, True, False, False),
        (True, 1, False, False),
        (1, 1.0, False, True),
        ([1, 2], {"$tuple": [1, 2]}, False, True),
        ({"a": 1}, {"a": 1.0}, False, True),
        ({"$dict": [[1, 2]]}, {"$dict": [[1.0, 2]]}, False, True),
        ({"$dict": [[1, 2]]}, {"$dict": [[True, 2]]}, False, False),
        ({"$set": [1]}, {"$set": [True]}, False, False),
        ({"$set": [1, 2]}, {"$set": [2, 1]}, True, True),
        ({"$set": [1]}, {"$frozenset": [1]}, False, False),
        ({"$float": "nan"}, {"$float": "nan"}, True, True),
        ([{"$float": "nan"}], [0.0], False, False),
        ({"$dict": [[{"$float": "nan"}, 1]]}, {"$dict": [[{"$float": "nan"}, 1]]}, True, True),
        ({"$decimal": "NaN"}, {"$decimal": "sNaN"}, True, True),
        ({"$decimal": "1"}, {"$decimal": "1.0"}, True, True),
        ({"$ordereddict": [[1, 1], [2, 2]]}, {"$ordereddict": [[2, 2], [1, 1]]}, False, True),
        ({"$counter": [["a", 1]]}, {"a": 1}, False, True),
        ({"$deque": [[1], None]}, {"$deque": [[1], 3]}, False, True),
        ({"$iterator": [1, 2]}, {"$iterator": [1, 2]}, True, True),
        ({"$iterator": [1, 2]}, [1, 2], False, False),
        ({"$exception": ["OSError", [1]]}, {"$exception": ["OSError", [2]]}, False, False),
        ({"$bytes": "61"}, "a", False, False),
        ({"$int": hex(1 << 2000)}, 1e300, False, False),
        (0.3, 0.30000000000000004, False, False),
        ("", [], False, False),
        (None, False, False, False),
        ([[1], [2]], [[1], [2, 3]], False, False),
    ],
)  # fmt: skip
def test_types_and_values(expected: Any, found: Any, exact: bool, by_value: bool) -> None:
    for _ in range(2):  # an iterator is not used up by looking at it
        assert same(decode(expected), decode(found)) is exact
    assert same(decode(expected), decode(found), "value") is by_value


def test_the_tolerance_is_absolute_or_relative_and_for_floats_alone() -> None:
    assert same(0.3, 0.1 + 0.2, tolerance=1e-9)
    assert same(1e300, 1e300 * (1 + 1e-12), tolerance=1e-9)
    assert same(0.0, 1e-12, tolerance=1e-9)
    assert not same(0.0, 1e-6, tolerance=1e-9)
    assert not same(10**12, 10**12 + 1, tolerance=1e-9)
    assert not same(1.0, float("nan"), tolerance=1e-9)
    assert same([{"a": complex(0, 0.3)}], [{"a": complex(0, 0.1 + 0.2)}], tolerance=1e-9)
    assert not same(float(1 << 1000), 1 << 2000, "value", 1e-9)


def test_a_value_nested_deeply_is_compared_without_recursion() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert same(deep, deep)
    assert not same(deep, [deep])


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(PLAIN, PLAIN)
def test_a_value_is_the_same_as_itself_alone(one: Any, other: Any) -> None:
    assert same(one, one)
    assert same(one, one, "value", 1e-9)
    if same(one, other):
        assert one == other or repr(one) == repr(other)


@pytest.mark.parametrize(
    "reference",
    [
        {},
        {"entry_point": "f"},
        {"entry_point": "f", "cases": []},
        {"entry_point": "f", "cases": {}},
        {"entry_point": "", "cases": CASES},
        {"entry_point": "f()", "cases": CASES},
        {"cases": CASES},
        {"entry_point": "f", "cases": [{"args": [1]}]},
        {"entry_point": "f", "cases": [{"args": [1], "expected": 1, "raises": "E"}]},
        {"entry_point": "f", "cases": [{"args": 1, "expected": 1}]},
        {"entry_point": "f", "cases": [{"args": [1], "expected": {"$pickle": "x"}}]},
        {"entry_point": "f", "cases": [{"args": [{"$int": "x"}], "expected": 1}]},
        {"entry_point": "f", "cases": [{"args": [1], "kwargs": [1], "expected": 1}]},
        {"entry_point": "f", "cases": [{"args": [1], "raises": "no name"}]},
        {"entry_point": "f", "cases": ["x"]},
        {"entry_point": "f", "cases": CASES * 501},
        {"entry_point": "f", "cases": CASES, "prelude": 3},
    ],
)
def test_a_reference_that_makes_no_sense_is_an_error(reference: dict[str, Any]) -> None:
    one = task(reference)
    found = build("unit_tests").judge(one, trajectory_of(one, SQUARE))
    assert (found.answer, found.score) == ("error", None)
    assert "makes no sense" in found.evidence["reason"]


def test_a_missing_wall_is_an_error_and_never_a_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise SandboxRefused("the wall against x is missing")

    monkeypatch.setattr(unit_tests, "sandbox", refuse)
    found = judge("def f(x): return x + 2")
    assert (found.answer, found.score) == ("error", None)
    assert "the wall against x is missing" in found.evidence["reason"]


@pytest.mark.parametrize("text", ["", "```\n```", "x" * 300_000, "\udc80"])
def test_no_program_is_a_fail(text: str) -> None:
    assert judge(text).answer == "fail"


def test_the_prelude_runs_before_the_program_and_the_gold_is_the_solution() -> None:
    found = judge("def f(x): return g(x)", prelude="def g(x):\n    return x * x\n")
    assert found.answer == "pass"
    one = task({"entry_point": "f", "cases": CASES, "solution": SQUARE})
    assert build("unit_tests").gold(one) == SQUARE
    assert build("unit_tests").gold(replace(one, reference={})) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "exact"},
        {"types": "loose"},
        {"tolerance": -1},
        {"tolerance": True},
        {"tolerance": float("nan")},
        {"partial": 1},
        {"fast": "no"},
        {"limits": []},
        {"limits": {"second": 1}},
        {"limits": {"seconds": 0}},
        {"limits": {"memory_mb": 1e9}},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        build({"kind": "unit_tests", **settings})


def test_the_digest_changes_with_the_settings() -> None:
    one, other = build("unit_tests"), build({"kind": "unit_tests", "types": "value"})
    assert digest(one) != digest(other)
