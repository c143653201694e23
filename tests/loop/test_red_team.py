"""What an enemy of the sandbox and of the verifiers found, and honest programs of many styles."""

from __future__ import annotations

from typing import Any

import pytest

from improvement.records import Judgement, TaskRecord
from improvement.sandbox.fast import run_fast
from improvement.sandbox.pool import sandbox
from improvement.sandbox.records import Call, Limits
from improvement.verifiers.base import trajectory_of
from improvement.verifiers.build import build
from tests.loop.corpus.styles import STYLES
from tests.loop.judged import answer, judged

DEQUES = "from collections import deque\ndef f(n): return [deque() for _ in range(5_000)]"
OWN = "class Negative(ValueError): pass\ndef f(n): raise Negative('n is negative')"
CATCHES = "try:\n    f(-1)\n    assert False\nexcept {} as e:\n    assert str(e) == {!r}"


def tried(kind: str | dict[str, Any], source: str, entry: str = "f", **reference: Any) -> Judgement:
    task = TaskRecord("t", "c", 1, "train", "p", {"entry_point": entry, **reference}, "x")
    found: Judgement = build(kind).judge(task, trajectory_of(task, f"```python\n{source}\n```"))
    return found


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style[0])
def test_an_honest_style_passes(style: tuple[str, str, str, list[str]]) -> None:
    _, entry, source, asserts = style
    found = tried("asserts", source, entry, tests=asserts)
    assert found.answer == "pass", found.evidence


def test_values_that_are_small_on_the_wire_do_not_fill_our_memory() -> None:
    """A million bytes of them are forty million here, and a task may have a thousand cases."""
    calls = [Call("f", (n,)) for n in range(20)]
    outcome = sandbox().run(DEQUES, calls, Limits(result=125_000))
    assert outcome.ended == "output"
    assert outcome.error == "returned more than 500,000 bytes altogether"
    assert [one.ended for one in outcome.returned] == ["ok"] * 4 + ["output"]
    assert sum(one.value is not None for one in outcome.returned) == 4


def test_that_much_returned_is_a_fail_in_plain_words() -> None:
    source, cases = "def f(n): return 'x' * 900_000", [{"args": [1], "expected": 1}] * 8
    found = tried({"kind": "unit_tests", "fast": False, "types": "value"}, source, cases=cases)
    assert (found.answer, found.score) == ("fail", 0.0)
    right = [{"args": [n], "expected": "x" * 900_000} for n in range(8)]
    found = tried("unit_tests", source, cases=right)
    assert "returned more than 4,194,304 bytes altogether" in found.evidence["reason"]
    assert found.evidence["cases"] == {"passed": 4, "of": 8}


def test_a_value_that_keeps_the_tests_busy_is_held_to_the_usual_limits() -> None:
    limits = Limits(seconds=2.0, call_seconds=0.2)
    source, tests = "def f(n): return range(10**15)", "assert sum(f(1)) == 3"
    found = sandbox().judge(source, tests, ["f"], limits)
    assert found.ended == "time"
    assert "0.2 s for one call" in found.error


def test_tests_that_wait_for_a_slow_program_lose_no_time_of_their_own() -> None:
    limits = Limits(seconds=5.0, call_seconds=0.5)
    source = "import time\ndef f(n):\n    time.sleep(0.2)\n    return n"
    tests = "for n in range(4):\n    assert f(n) == n"
    assert sandbox().judge(source, tests, ["f"], limits).ended == "ok"


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (OWN, "ValueError"),
        (OWN, "Exception"),
        (OWN, "Negative"),
        ("import json\ndef f(n): return json.loads('{')", "ValueError"),
        ("import statistics\ndef f(n): return statistics.mean([])", "ValueError"),
        ("from decimal import Decimal\ndef f(n): return Decimal('x')", "ArithmeticError"),
    ],
)
def test_an_exception_counts_as_what_it_derives_from(source: str, wanted: str) -> None:
    cases = [{"args": [-1], "raises": wanted}]
    assert tried("unit_tests", source, cases=cases).answer == "pass"


@pytest.mark.parametrize("wanted", ["TypeError", "KeyError", "OSError", "Positive"])
def test_an_exception_is_nothing_that_it_does_not_derive_from(wanted: str) -> None:
    cases = [{"args": [-1], "raises": wanted}]
    assert tried("unit_tests", OWN, cases=cases).answer == "fail"


def test_asserts_catch_an_exception_of_the_program_by_its_kind() -> None:
    right = CATCHES.format("ValueError", "n is negative")
    assert tried("asserts", OWN, tests=[right]).answer == "pass"
    assert tried("asserts", OWN, tests=[right.replace("ValueError", "KeyError")]).answer == "fail"


def test_a_missing_key_reads_as_in_python() -> None:
    tests = [CATCHES.format("KeyError", "'b'")]
    assert tried("asserts", "def f(n): return {}['b']", tests=tests).answer == "pass"


CLOSE = "import math\ndef near(a, b):\n    return math.isclose(a, b)\n"
CLOSE += "def close(a, b):\n    return near(a, b)"
NODE = "class Node:\n    def __init__(self, value): self.value = value\n"


@pytest.mark.parametrize("name", ["close", "near"])
def test_a_program_can_not_replace_what_the_setup_compares_with(name: str) -> None:
    cheat = f"def f(n):\n    globals()[{name!r}] = lambda a, b: True\n    return 7"
    tests = ["assert close(f(1), 0.5)"]
    assert tried("asserts", cheat, setup=CLOSE, tests=tests).answer == "fail"
    right = "def f(n): return n / 2"
    assert tried("asserts", right, setup=CLOSE, tests=tests).answer == "pass"


def test_a_setup_that_builds_the_program_s_objects_runs_with_it() -> None:
    setup = "def pair(a):\n    node = Node(a)\n    node.next = Node(a + 1)\n    return node"
    source = f"{NODE}def f(node): return node.value + node.next.value"
    tests = ["assert f(pair(1)) == 3"]
    assert tried("asserts", source, setup=setup, tests=tests).answer == "pass"
    built = f"{setup}\nroot = pair(1)\ndef first(): return root"
    found = tried("asserts", source, setup=built, tests=["assert f(first()) == 3"])
    assert found.answer == "pass", found.evidence


def test_a_class_of_the_prompt_is_the_program_s() -> None:
    prompt = f"import math\n{NODE}\ndef f(node):\n    '''Give its value.'''\n"
    tests = "def check(candidate):\n    assert candidate(Node(math.floor(3.5))) == 3\n"
    source = "def f(node):\n    return node.value"
    assert tried("asserts", source, prompt=prompt, tests=tests).answer == "pass"


@pytest.mark.parametrize(
    "text",
    ['f"{ "a" + str(n) + "b" }"', 'f"{ "a" + [getattr, n][1] }"', "f'{n:{n}}'", 'f"{{{n["x"]}}}"'],
)
def test_text_that_two_pythons_end_at_different_quotes_is_left_to_cpython(text: str) -> None:
    assert run_fast(f"def f(n): return {text}", [Call("f", ("a",))]) is None


def test_plain_formatted_text_keeps_the_fast_path() -> None:
    source = 'def f(n): return f"{n:>3}|{{{n!r}}}|{n + 1:.2f}"'
    outcome = run_fast(source, [Call("f", (4,))])
    assert outcome is not None
    assert outcome.returned[0].value == "  4|{4}|5.00"


@pytest.mark.parametrize("lines", ['{"0": 1, "1": 2}', '{"0": 1, "1": 2, "2": 3}', "[1, 2, 3]"])
def test_an_object_with_numbers_for_keys_is_no_list(lines: str) -> None:
    found = judged("fields", {"fields": {"lines": [1, 2]}}, f'{{"lines": {lines}}}')
    assert found.answer == "fail"
    assert "lines" in found.evidence["reason"]


@pytest.mark.parametrize(
    ("gold", "said"),
    [("x=1,y=2", "2,1"), ("x=1,y=2", r"\{2,1\}"), ("x=1,y=2", "x=2,y=1"), ("1<x<2", r"\{1,2\}")],
)
def test_values_without_their_names_are_no_solution(gold: str, said: str) -> None:
    assert answer("math", gold, said) == "fail"


@pytest.mark.parametrize(
    ("gold", "said"), [("x=1,y=2", "y=2,x=1"), ("x=5", "5"), ("1,2", "2,1"), ("1<x<2", "(1,2)")]
)
def test_the_same_solution_in_other_words_passes(gold: str, said: str) -> None:
    assert answer("math", gold, said) == "pass"
