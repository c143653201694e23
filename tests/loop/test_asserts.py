"""Unit tests given as assert code, in a process of their own."""

from __future__ import annotations

from typing import Any

import pytest

from improvement.records import Judgement, TaskRecord
from improvement.sandbox.records import SandboxRefused
from improvement.verifiers import asserts
from improvement.verifiers.base import SpecError, trajectory_of
from improvement.verifiers.build import build

PROMPT = (
    "from typing import List\n\n\ndef helper(xs: List[int]) -> int:\n    return len(xs)\n\n\n"
    'def f(xs: List[int]) -> int:\n    """The sum.\n    >>> f([1, 2])\n    3\n    """\n'
)
HUMAN = {
    "entry_point": "f",
    "prompt": PROMPT,
    "tests": "METADATA = {'author': 'us'}\n\n\ndef check(candidate):\n"
    "    assert candidate([1, 2]) == 3, 'sum'\n    assert candidate([]) == 0\n"
    "    assert abs(candidate([0.1, 0.2]) - 0.3) < 1e-9\n    assert helper([1]) == 1\n",
}
MBPP = {"entry_point": "f", "tests": ["assert f((1, 2)) == (2, 4)", "assert f(()) == ()"]}


def judge(text: str, reference: dict[str, Any], **settings: Any) -> Judgement:
    task = TaskRecord("t", "code", 1, "train", "p", reference, "x")
    return build({"kind": "asserts", **settings}).judge(task, trajectory_of(task, text))


@pytest.mark.parametrize(
    "text",
    [
        "    return sum(xs)\n",
        "return sum(xs)",
        "```python\ndef f(xs):\n    return sum(xs)\n```",
        PROMPT + "    total = 0\n    for x in xs:\n        total += x\n    return total\n",
        "    return sum(xs)\n\n\nprint(f('not in the completion'))",
    ],
)
def test_a_completion_or_a_redefinition_passes_humaneval(text: str) -> None:
    found = judge(text, HUMAN)
    assert (found.answer, found.score) == ("pass", 1.0), found.evidence
    assert found.evidence["calls"] == 3  # the prompt's helper is the tests' own


def test_asserts_pass_mbpp() -> None:
    found = judge("def f(t):\n    return tuple(2 * x for x in t)", MBPP)
    assert (found.answer, found.score) == ("pass", 1.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("    return len(xs)", "AssertionError: sum"),
        ("    raise KeyError(1)", "KeyError"),
        ("    raise SyntaxError('no')", "SyntaxError"),
        ("    raise SystemExit(0)", "left before"),
        ("    import os\n    os._exit(0)", "left before"),
        ("    while True: pass", "longer than"),
        ("    return (", "SyntaxError"),
        ("    class T(int):\n        __eq__ = lambda a, b: True\n    return T()", "can only be"),
    ],
)
def test_what_the_program_did_is_a_fail(text: str, words: str) -> None:
    found = judge(text, HUMAN, limits={"seconds": 0.4, "call_seconds": 0.3})
    assert (found.answer, found.score) == ("fail", 0.0)
    assert words in f"{found.evidence['reason']} {found.evidence['found']}"


def test_tests_that_never_call_the_program_are_an_error() -> None:
    found = judge("def f(x): return x", {"entry_point": "f", "tests": "assert True"})
    assert (found.answer, found.score) == ("error", None)
    assert "never called" in found.evidence["reason"]


@pytest.mark.parametrize(
    "tests",
    ["assert f(1 == 1", "def check(candidate):\nassert candidate(1)", "f(object())\nassert f(1)"],
)
def test_tests_that_cannot_run_are_an_error(tests: str) -> None:
    found = judge("def f(x): return 1", {"entry_point": "f", "tests": tests})
    assert (found.answer, found.score) == ("error", None)
    assert "can't be run" in found.evidence["reason"]


@pytest.mark.parametrize(
    "reference",
    [
        {},
        {"entry_point": "f"},
        {"tests": ["assert f(1)"]},
        {"entry_point": "f", "tests": []},
        {"entry_point": "f", "tests": [1]},
        {"entry_point": "f", "tests": " "},
        {"entry_point": "f;g", "tests": "assert f(1)"},
        {"entry_point": "f", "tests": "assert f(1)", "prompt": 3},
        {"entry_point": "f", "tests": "assert f(1)", "setup": ["x"]},
    ],
)
def test_a_reference_that_makes_no_sense_is_an_error(reference: dict[str, Any]) -> None:
    found = judge("def f(x): return x", reference)
    assert (found.answer, found.score) == ("error", None)
    assert "makes no sense" in found.evidence["reason"]


def test_the_setup_runs_with_the_program_and_its_imports_are_the_tests_too() -> None:
    reference = {
        "entry_point": "f",
        "setup": "import math\nroot = Node(4)\n",
        "tests": ["assert f(root) == math.sqrt(16)"],
    }
    text = "class Node:\n    def __init__(self, v): self.v = v\n\ndef f(node): return node.v"
    assert judge(text, reference).answer == "pass"
    assert judge(text.replace("node.v", "node.v + 1"), reference).answer == "fail"


def test_expected_values_are_not_in_the_programs_process() -> None:
    text = (
        "import gc, sys\ndef f(x):\n    seen = [str(o) for o in gc.get_objects()]\n"
        "    seen += sys.argv + [str(sys._getframe(1).f_locals)]\n"
        "    return 'found' if any('expected-' + str(x + 4710) in s for s in seen) else 'hidden'"
    )
    reference = {"entry_point": "f", "tests": "wanted = 'expected-4711'\nassert f(1) == 'hidden'"}
    assert judge(text, reference).answer == "pass"


def test_a_missing_wall_is_an_error_and_never_a_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise SandboxRefused("the wall against x is missing")

    monkeypatch.setattr(asserts, "sandbox", refuse)
    found = judge("def f(x): return 1", MBPP)
    assert (found.answer, found.score) == ("error", None)
    assert "the wall against x is missing" in found.evidence["reason"]


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SpecError):
        build({"kind": "asserts", "types": "exact"})
