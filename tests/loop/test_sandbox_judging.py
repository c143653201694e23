"""Judging by asserts: they run in a process of their own and reach the candidate by proxies."""

import pytest

from improvement.sandbox.pool import Sandbox
from improvement.sandbox.records import Limits

SHORT = Limits(seconds=1.0, call_seconds=0.4, memory=64 << 20)


@pytest.fixture(scope="module")
def box():
    found = Sandbox(size=2)
    yield found
    found.close()


def test_asserts_that_hold_count_their_calls(box):
    tests = "def check(c):\n    assert c(1) == 2\n    assert c(2) == 3\ncheck(f)"
    out = box.judge("def f(x): return x + 1", tests, ["f"])
    assert (out.ended, out.returned[0].value) == ("ok", 2)


def test_an_assert_that_fails_is_told(box):
    out = box.judge("def f(x): return x", "assert f(1) == 2, 'one'", ["f"])
    assert (out.ended, out.error) == ("exception", "AssertionError: one")
    assert out.returned[0].ended == "exception"


def test_tests_that_call_nothing_say_so(box):
    assert box.judge("def f(x): return x", "assert True", ["f"]).returned[0].value == 0


def test_other_globals_of_the_candidate_are_reached(box):
    source = (
        "LIMIT = 3\nclass Pair:\n    def __init__(self, a, b): self.a, self.b = a, b\n"
        "def total(pairs): return sum(p.a + p.b for p in pairs)\ndef helper(x): return x * LIMIT"
    )
    tests = "assert total([Pair(1, 2), Pair(b=3, a=4)]) == 10\nassert helper(2) == 6 and LIMIT == 3"
    assert box.judge(source, tests, ["total"]).returned[0].value == 4


def test_a_handle_can_only_be_an_argument(box):
    source = (
        "class Yes:\n    def __eq__(self, o): return True\n    def __bool__(self): return True\n"
        "def f(x=0): return Yes()"
    )
    for tests in (
        "assert f() == 3",
        "assert 3 == f()",
        "assert f()",
        "assert f() in [3]",
        "assert {f(): 1}",
        "assert len(f())",
        "assert [f()] == [1]",
        "for x in f(): pass",
        "assert not f() != 1",
    ):
        out = box.judge(source, tests, ["f"])
        assert out.error.startswith("TypeError: "), (tests, out)
    assert box.judge(source, "f(f())", ["f"]).ended == "ok"


def test_changes_in_place_come_back_only_with_none(box):
    source = (
        "def sort(x): x.sort()\ndef sneaky(x):\n    x[:] = [1]\n    return [1]\n"
        "def turn(m):\n    m[:] = [list(r) for r in zip(*m)]\n    m[0].append(9)\n"
        "def fill(d, *, s, b):\n    d['k'] = 1; s.add(2); b += b'x'\n"
    )
    tests = (
        "x = y = [3, 1]\nassert sort(x) is None and x == [1, 3] and y is x\n"
        "z = [5]\nassert sneaky(z) == [1]\nassert z == [5]\n"
        "m = [[1, 2], [3, 4]]\nrow = m[0]\nturn(m)\n"
        "assert m == [[1, 3, 9], [2, 4]] and row is m[0]\n"
        "d, s, b = {}, set(), bytearray()\nfill(d, s=s, b=b)\n"
        "assert (d, s, b) == ({'k': 1}, {2}, b'x')\n"
    )
    assert box.judge(source, tests, ["sort"]).error == ""


def test_exceptions_of_the_candidate_are_raised_again(box):
    source = (
        "class Mine(Exception): pass\ndef f(x):\n    if x == 1: raise ValueError('bad')\n"
        "    if x == 2: raise Mine('own')\n    if x == 3: b'x'.decode('no')\n    raise SystemExit"
    )
    tests = (
        "try: f(1)\nexcept ValueError as e: assert str(e) == 'bad'\nelse: assert False\n"
        "try: f(2)\nexcept CandidateError as e: assert str(e) == 'Mine: own'\nelse: assert False\n"
        "try: f(3)\nexcept LookupError: pass\nelse: assert False\n"
    )
    assert box.judge(source, tests, ["f"]).error == ""
    out = box.judge(source, "f(4)", ["f"])
    assert out.ended == "exit"


def test_stop_iteration_does_not_end_the_loops_of_the_tests(box):
    source = "def f(x): raise StopIteration"
    out = box.judge(source, "assert all(map(lambda x: f(x) == x, [1, 2]))", ["f"])
    assert out.error.startswith("CandidateError: StopIteration")


def test_a_name_that_the_candidate_has_not_is_a_name_error(box):
    out = box.judge("def g(x): return x", "assert f(1) == 1", ["f"])
    assert out.error.startswith("NameError: ")


def test_what_can_not_be_carried_is_the_fault_of_the_tests(box):
    out = box.judge("def f(g): return g(1)", "assert f(lambda x: x) == 1", ["f"])
    assert out.error == "CannotCarry: f is given a function"
    assert (
        box.judge("def f(g): return g(1)\ndef h(x): return x", "assert f(h) == 1", ["f"]).ended
        == "ok"
    )


@pytest.mark.parametrize(
    ("source", "ended"),
    [
        ("def f(x):\n    while True: pass", "time"),
        ("while True: pass", "time"),
        ("import os\ndef f(x): os._exit(0)", "exit"),
        ("import sys\nsys.exit(0)", "exit"),
        ("def f(x): return 'x' * (2 << 20)", "output"),
        ("def f(x): return bytearray(1 << 31)", "memory"),
        ("import os\ndef f(x): os.write(4, b'\\0\\0\\0\\5hello')", "crash"),
        ('import os\ndef f(x): os.write(4, b\'\\0\\0\\0\\x18{"ok":{"$ref":["f",1]}}\')\n', "crash"),
        ("1 / 0", "exception"),
    ],
)
def test_a_candidate_that_is_ended_never_passes(box, source, ended):
    out = box.judge(source, "f(1)", ["f"], SHORT)
    assert out.ended == ended, out
    assert all(one.ended == ended for one in out.returned)
    assert box.judge("def f(): return 1", "assert f() == 1", ["f"]).ended == "ok"


def test_tests_without_an_end_are_ended(box):
    out = box.judge("def f(): return 1", "while True: f()", ["f"], Limits(0.2, 0.2))
    assert out.ended == "time"


def test_the_candidate_sees_neither_the_tests_nor_what_they_expect(box):
    source = (
        "import gc, sys\ndef f(x):\n    frames, at = [], sys._getframe()\n    while at:\n"
        "        frames += [repr(v) for v in at.f_locals.values()]\n        at = at.f_back\n"
        "    return any('314' + '159' in one for one in frames)"
    )
    assert box.judge(source, "assert f(1) is False  # 314159", ["f"]).ended == "ok"
