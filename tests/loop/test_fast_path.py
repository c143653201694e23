"""The fast path: it may only say what CPython would say, and says nothing where that is unsure."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvement.sandbox import fast
from improvement.sandbox.fast import run_fast
from improvement.sandbox.pool import sandbox
from improvement.sandbox.records import Call, Limits
from improvement.sandbox.screen import Different, annotation_names
from improvement.verifiers.same import same
from tests.loop.corpus.honest import HONEST


def values(source: str, *args: Any) -> list[Any] | None:
    found = run_fast(source, [Call("f", args)])
    return None if found is None else [one.value for one in found.returned]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("def f(): return sum(x for x in [1, 2])", 3),
        ("def f(): return {1: (2, [3.5, None, True, 'a'])}", {1: (2, [3.5, None, True, "a"])}),
        ("def f(): return [a + b for a, b in zip([1], [2])]", [3]),
        ("def f(): return ', '.join(str(x) for x in {1: 2})", "1"),
        ("import math\ndef f(): return math.isqrt(17)", 4),
        ("from typing import List\ndef f(xs: List[int] = []) -> int: return len(xs)", 0),
        ("from functools import lru_cache\n@lru_cache(None)\ndef f(n=9):\n"
         "    return n if n < 2 else f(n - 1) + f(n - 2)", 34),
        ("def f():\n    '''A \"doc\" (with) set {1, 2}'''\n    return [*range(3)]", [0, 1, 2]),
        ("def f(): return f'{1 + 1}'", "2"),
    ],
)  # fmt: skip
def test_simple_programs_run_here(source: str, value: Any) -> None:
    assert values(source) == [value]


@pytest.mark.parametrize(
    "source",
    [
        "def f(): return map(str, [1])",
        "def f(): return reversed([1])",
        "def f(): return (x for x in [1])",
        "def f():\n    m = map(str, [1])\n    return list(m), list(m)",
        "def f():\n    m = map\n    return m(str, [1])",
        "def f(): return len(zip([1], [2]))",
        "def f(): return list(set([3, 1]))",
        "def f(): return [x for x in {3, 1}]",
        "def f(): return list({x for x in [3, 1]})",
        "def f(): return f'{list(set([1]))}'",
        "def f(x: List[int] = 3): return 1",
        "def f(x: np.ndarray = 3) -> int: return 1",
        "x: Missing = 3\ndef f(): return 1",
        "def f(n=0):\n    xs = [1, 2, 3]\n    for i, x in enumerate(xs): xs.pop(i)\n    return xs",
        "def f():\n    xs = [1, 2]\n    for i, x in enumerate(xs): xs[i] = x + 1\n    return xs",
        "def f():\n    g = [[1]]\n    for r in reversed(g): g[0][0] = 2\n    return g",
        "def f(): return round(2.675, 2)",
        "def f(): return {1: 2}.keys() & {1: 3}.keys()",
        "def f(): return range(3)",
        "def f(): return f",
        "def f(): return {k * (2**61 - 1): 0 for k in range(100000)}",
        "def f():\n    x = []\n    for _ in range(99999): x = [x]\n    return x",
        "def f():\n    x = [0] * 1000\n    y = [x] * 1000\n    return [y] * 1000",
        "def f():\n    x = []\n    x.append(x)\n    return x",
        "def f(): return 1 << 10000000",
        "def f(): return 'x' * 20000000",
        "def f():\n    while True: pass",
        "def f():\n    while True: print('x' * 1000)",
        "import time\ndef f(): time.sleep(60)",
        "def f(): return f()",
        "def f(): return 1 / 0",
        "def f(): return (",
        "def f(): return open('/etc/passwd').read()",
        "import os\ndef f(): return os.environ",
        "def f(): return __import__('os')",
        "def __tree(*a): return 1\ndef f(): return range(3)",
        "def f(): return 1\n1 or \\",
        "def f(): return 'é'",
        "def f(): return 1\n'''",
        "x" * 30_000,
    ],
)
def test_what_is_unsure_is_left_to_cpython(source: str) -> None:
    assert values(source) is None


@pytest.mark.parametrize("given", ["é", "\x1c", "\ud800", {1, 2}, b"a", [[{"a": "é"}]], 1j])
def test_arguments_that_may_be_understood_otherwise_are_left_to_cpython(given: Any) -> None:
    assert values("def f(x): return 1", given) is None


def test_a_value_of_a_loose_end_is_never_turned_into_ours() -> None:
    """The last line's value would be converted, however hostile it is."""
    source = "def f(): return 1\n{k * (2**61 - 1): 0 for k in range(50000)}"
    assert values(source) in ([1], None)


def test_calls_share_one_program_and_no_state_is_left_for_the_next() -> None:
    source = "kept = []\ndef f(x):\n    kept.append(x)\n    return len(kept)"
    for _ in range(2):
        found = run_fast(source, [Call("f", (1,)), Call("f", (2,))])
        assert found is not None
        assert [one.value for one in found.returned] == [1, 2]


def test_the_workers_have_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWL_CANARY", "x")
    assert values("def f(): return 1") == [1]
    workers = [one for one in psutil.Process().children() if one.name() == "monty"]
    assert workers
    assert [one.environ() for one in workers] == [{}] * len(workers)


FORKED = """
import os, psutil, sys
from improvement.sandbox.fast import run_fast
from improvement.sandbox.records import Call
from improvement.verifiers.base import trajectory_of
from improvement.verifiers.build import build
from improvement.records import TaskRecord

def value():
    found = run_fast("def f(): return 1", [Call("f")])
    return found and found.returned[0].value

if sys.argv[1] == "used":
    assert value() == 1
child = os.fork()
if child == 0:
    reference = {"entry_point": "f", "cases": [{"args": [], "expected": 1}]}
    task = TaskRecord("t", "f", 1, "train", "p", reference, "x")
    judged = build("unit_tests").judge(task, trajectory_of(task, "def f(): return 1"))
    pids = [p.pid for p in psutil.Process().children() if p.name() == "monty"]
    print(judged.answer, judged.evidence["wall"], *pids, flush=True)
    os._exit(0)  # without tidying up, as a work-horse ends
os.waitpid(child, 0)
print(value())
"""


@pytest.mark.parametrize(("parent", "wall"), [("unused", "monty"), ("used", "process")])
def test_a_forked_process_judges_too_and_its_workers_die_with_it(parent: str, wall: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED, parent], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    in_child, in_parent = done.stdout.splitlines()
    answer, found_wall, *pids = in_child.split()
    assert (answer, found_wall, in_parent) == ("pass", wall, "1")
    assert bool(pids) == (parent == "unused")
    left = [psutil.Process(int(pid)) for pid in pids if psutil.pid_exists(int(pid))]
    assert psutil.wait_procs(left, 30)[1] == []


SWAPS = [("+", "-"), ("<", "<="), ("==", "!="), ("[]", "[0]"), ("0", "1"), ("1", "2"), ("n", "xs")]
SWAPS += [("min", "max"), ("sorted(", "list("), ("return", "return not"), ("range(", "reversed(")]
PLAIN = [
    "def f(xs):\n    out = []\n    for i, x in enumerate(xs):\n        if x not in out:\n"
    "            out.append(x)\n    return out",
    "def f(xs):\n    d = {}\n    for x in xs:\n        d[x] = d.get(x, 0) + 1\n"
    "    return sorted(d.items(), key=lambda p: (-p[1], p[0]))",
    "def f(xs):\n    return list(map(lambda x: x * 2, filter(lambda x: x > 0, xs)))",
    "def f(xs):\n    xs = sorted(xs)\n    return [b - a for a, b in zip(xs, xs[1:])]",
    "def f(xs):\n    for x in xs:\n        if x == 0:\n            xs.remove(x)\n    return xs",
    "def f(xs):\n    return max(xs) // 3 if xs else -1",
    "def f(xs):\n    a, b = 0, 1\n    for _ in xs[1:]:\n        a, b = b, a + b\n    return b",
    "def f(xs):\n    return ' '.join(str(x) for x in reversed(xs)).strip()[::-1]",
    "def f(xs):\n    return all(x > 0 for x in xs), any(x == 0 for x in xs), sum(xs) / 7",
    "def f(xs):\n    while xs and xs[-1] == 0:\n        xs.pop()\n    return xs[:1] + xs[1:][::-1]",
]


def mutants(source: str) -> list[str]:
    """The program, and versions of it with one thing changed: most of them wrong."""
    changed = [source]
    for old, new in SWAPS:
        places = [found.start() for found in re.finditer(re.escape(old), source)]
        changed += [source[:p] + new + source[p + len(old) :] for p in places]
    return changed


def test_the_fast_path_never_says_what_cpython_does_not_say() -> None:
    calls = [Call("f", (list(xs),)) for xs in ([], [3, 0, 0, -2], [5], [1, 1, 2, 0])]
    answered = 0
    for source in [one for plain in PLAIN for one in mutants(plain)]:
        quick = [run_fast(source, [call]) for call in calls]
        if not any(quick):
            continue
        slow = sandbox().run(source, calls, Limits(seconds=5))
        for one, other in zip(quick, slow.returned, strict=True):
            if one is not None:
                answered += 1
                assert other.ended == "ok", source
                assert same(other.value, one.returned[0].value), source
    assert answered > 120


def test_honest_programs_have_the_same_values_on_both_paths() -> None:
    for honest in HONEST:
        plain = [case for case in honest.cases if "expected" in case]
        calls = [Call("f", tuple(case["args"]), case.get("kwargs", {})) for case in plain]
        if quick := run_fast(honest.source, calls):
            slow = sandbox().run(honest.source, calls)
            pairs = zip(quick.returned, slow.returned, strict=True)
            assert all(same(one.value, other.value) for one, other in pairs), honest.name


@given(st.text(alphabet="fdefx()[]{}:,.'\"\\#= \nmapsetforin*&1->", max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_screened_without_trouble(text: str) -> None:
    with contextlib.suppress(Different):
        assert all(name.isidentifier() for name in annotation_names(text))


def test_a_missing_runtime_leaves_all_to_cpython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "_pool", [])
    monkeypatch.setenv("MONTY_BIN", "/nowhere/monty")
    assert values("def f(): return 1") is None
