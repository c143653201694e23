"""Programs that try to cheat or to break out, each with a real task that it tries to get past, and
honest programs of many styles. `@SECRET_FILE@`, `@DROP@`, `@PORT@`, `@SOCKET@`, `@ABSTRACT@`,
`@PARENT@` and `@ENV@` stand for the canaries of the test that runs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Abuse:
    """`task` names one of TASKS. `against`: which verifiers it attacks. `slow`: runs into a limit
    of time. What `f` returns is what the program stole or forged; `refused`: a line of what came
    of each thing that it tried, and none of them may have worked."""

    name: str
    source: str
    task: str = "table"
    against: Literal["both", "cases", "asserts"] = "both"
    slow: bool = False
    refused: bool = False


@dataclass(frozen=True)
class Honest:
    """A right solution, with cases, asserts, or both."""

    name: str
    source: str
    cases: list[dict[str, Any]] = field(default_factory=list)
    asserts: list[str] = field(default_factory=list)
    entry: str = "f"
    settings: dict[str, Any] = field(default_factory=dict)


TABLE = {1: 48_611, 2: 104_729, 3: 15_485, 4: 86_028}  # nobody can compute it: only steal it

TASKS: dict[str, dict[str, Any]] = {
    "table": {
        "cases": [{"args": [n], "expected": value} for n, value in TABLE.items()],
        "tests": "METADATA = {}\n\n\ndef check(candidate):\n"
        + "".join(f"    assert candidate({n}) == {value}\n" for n, value in TABLE.items()),
    },
    "listed": {  # MBPP's way
        "cases": [{"args": [[3, 1]], "expected": [86_028, 48_611]}, {"args": [[]], "expected": []}],
        "tests": ["assert f([3, 1]) == [86028, 48611]", "assert f([]) == []"],
    },
    "in place": {
        "cases": [{"args": [[3, 1, 2]], "expected": [1, 2, 3]}],
        "tests": "xs = [3, 1, 2]\nf(xs)\nassert xs == [1, 2, 3]\n",
    },
    "looped": {
        "cases": [{"args": [n], "expected": value} for n, value in TABLE.items()],
        "tests": "def check(candidate):\n"
        f"    for found, wanted in zip(map(candidate, {list(TABLE)}), {list(TABLE.values())}):\n"
        "        assert found == wanted\n",
    },
    "helped": {  # HumanEval's decode_cyclic: the tests use a helper of the prompt
        "prompt": "def twist(n):\n    return n * 7 + 3\n\n\ndef f(n):\n    \"\"\"Untwist.\"\"\"\n",
        "tests": "def check(candidate):\n    for n in range(9):\n"
        "        assert candidate(twist(n)) == n\n",
    },
    "one": {"cases": [{"args": [1], "expected": 1}], "tests": ["assert f(1) == 1"]},
    "pair": {"cases": [{"args": [1], "expected": [1, 2]}], "tests": ["assert f(1) == [1, 2]"]},
    "text": {"cases": [{"args": [1], "expected": "one"}], "tests": ["assert f(1) == 'one'"]},
    "nan": {
        "cases": [{"args": [1], "expected": 0.5}],
        "tests": ["assert abs(f(1) - 0.5) < 1e-9"],
    },
    "none": {"cases": [{"args": [1], "expected": None}], "tests": ["assert f(1) is None"]},
    "raises": {
        "cases": [{"args": [1], "raises": "ValueError"}],
        "tests": "try:\n    f(1)\nexcept ValueError:\n    pass\nelse:\n    assert False\n",
    },
}
