"""The sandbox: what programs return, how their limits end them, what stands between them and
everything else, and judging by asserts in a second process."""

import os

import pytest

from improvement.sandbox.inside import tagged
from improvement.sandbox.pool import Sandbox
from improvement.sandbox.records import Call, Limits

SHORT = Limits(seconds=1.0, call_seconds=0.4, memory=64 << 20)


@pytest.fixture(scope="module")
def box():
    found = Sandbox(size=2)
    yield found
    found.close()


def values(box, source, *calls):
    out = box.run(source, [Call(name, args) for name, *args in calls] or [Call("f")])
    assert out.ended == "ok", out
    return [one.value for one in out.returned]


# -- running


def test_functions_are_called_in_order_in_one_process(box):
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return seen\n"
    assert values(box, source, ("f", 1), ("f", 2)) == [[1], [1, 2]]


def test_every_program_has_a_process_of_its_own(box):
    values(box, "import builtins\ndef f():\n    builtins.left = 1")
    assert values(box, "def f():\n    import builtins\n    return hasattr(builtins, 'left')") == [
        False
    ]


def test_arguments_and_results_keep_their_types(box):
    given = ((1, {2: "é"}), {3}, b"\0", 2**80, 1.5, None, True, {"a": [float("inf")]})
    source = "def f(*a, **k):\n    return a, k"
    out = box.run(source, [Call("f", given, {"key": frozenset([1])})])
    assert out.returned[0].value == (given, {"key": frozenset([1])})


def test_a_call_that_raises_does_not_stop_the_others(box):
    source = "def f(x):\n    return 10 // x"
    out = box.run(source, [Call("f", (0,)), Call("f", (5,)), Call("g")])
    assert out.ended == "ok"
    assert [one.ended for one in out.returned] == ["exception", "ok", "exception"]
    assert out.returned[0].error.startswith("ZeroDivisionError: ")
    assert out.returned[1].value == 2
    assert out.returned[2].error == "NameError: name 'g' is not defined"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def f(:", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("class E(BaseException):\n    def __str__(self): return 1 / 0\nraise E", "E: "),
        ("raise ValueError('x' * 1000)", "ValueError: " + "x" * 300),
        ("\0", "SyntaxError: "),
        ("import nothing_of_this_name", "ModuleNotFoundError: "),
    ],
)
def test_a_source_that_raises_is_an_exception(box, source, error):
    out = box.run(source, [Call("f")])
    assert out.ended == "exception"
    assert out.error.startswith(error)
    assert len(out.error) < 350
    assert out.returned == ()


def test_a_value_that_is_not_plain_is_named(box):
    source = "class MyInt(int):\n    __eq__ = lambda s, o: True\ndef f():\n    return [MyInt(1)]"
    (one,) = box.run(source, [Call("f")]).returned
    assert one.ended == "exception"
    assert one.error == "returned a MyInt, which is not a plain value"


def test_an_argument_that_is_not_plain_is_the_callers_fault(box):
    with pytest.raises(tagged.NotPlain):
        box.run("def f(x): pass", [Call("f", (object(),))])
    assert values(box, "def f(): return 1") == [1]


def test_the_beginning_of_what_it_prints_is_kept(box):
    source = "import sys\nprint('on load')\ndef f():\n    print('é\\x1b[1m' * 3000)\n"
    out = box.run(source, [Call("f")])
    assert out.ended == "ok"
    assert out.printed.startswith("on load\né\x1b[1m")
    assert len(out.printed) == 4000


@pytest.mark.parametrize(
    "value",
    ["2**100_000", "'\\ud800'", "'a\\0b\\x1b[31m'", "[[[[[1]]]]]", "float('nan')", "'x' * 999_999"],
)
def test_strange_values_survive(box, value):
    (found,) = values(box, f"def f(): return {value}")
    wanted = eval(value)
    assert found == wanted or (found != found and wanted != wanted)


# -- limits


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ("while True: pass", "time"),
        ("import time; time.sleep(60)", "time"),
        ("import re; re.match('(a+)+$', 'a' * 40 + 'b')", "time"),
        ("import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n    while 1: pass", "time"),
        ("import itertools; return itertools.cycle([[]])", "output"),
        ("return bytearray(1 << 31)", "memory"),
        ("x = [0]\n    while True: x += x", "memory"),
        ("raise MemoryError", "memory"),
        ("while True: print('x' * 10_000)", "output"),
        ("return 'x' * (2 << 20)", "output"),
        ("import sys; sys.exit()", "exit"),
        ("import os; os._exit(0)", "exit"),
        ("raise SystemExit(3)", "exit"),
        ("import ctypes; ctypes.string_at(0)", "crash"),
        ("import os; os.close(4)", "exit"),
        ("import os; os.closerange(0, 99)\n    while True: pass", "crash"),
        ("import os; os.write(4, b'\\0\\0\\0\\5hello')", "crash"),
        ("import os; os.write(4, b'\\xff' * 8)", "crash"),
        ("import os; os.write(4, b'\\0\\0\\0\\x0b{\"ok\":null}' * 9)", "crash"),
        ("x = []; x.append(x); return x", "exception"),
        ("return f()", "exception"),
    ],
)
def test_a_limit_or_an_exit_ends_the_program(box, body, ended):
    out = box.run(f"def f():\n    {body}\n", [Call("f"), Call("f")], SHORT)
    assert out.returned[0].ended == ended or (ended == "crash" and out.ended == "crash"), out
    assert out.returned[0].value is None or ended == "crash"
    assert values(box, "def f(): return 7") == [7]


def test_all_of_a_program_has_a_limit_too(box):
    source = "import time\ndef f(): time.sleep(0.15)"
    out = box.run(source, [Call("f")] * 20, SHORT)
    assert out.ended == "time"
    assert 2 <= len(out.returned) < 9
    assert out.error == "took longer than 1 s altogether"


def test_an_early_frame_is_a_crash(box):
    frame = r"b'\0\0\0\x08{\"ok\":1}'"
    out = box.run(f"import os\nos.write(4, {frame})\ndef f(): return 2", [Call("f"), Call("f")])
    assert out.ended == "crash"


def test_an_extra_frame_at_the_end_is_a_crash(box):
    frame = r"b'\0\0\0\x08{\"ok\":1}'"
    source = f"import os\ndef f():\n    os.write(4, {frame})\n    return 2"
    assert box.run(source, [Call("f")]).ended == "crash"


def test_a_deep_recursion_is_an_exception(box):
    out = box.run("def f(n):\n    return f(n + 1)", [Call("f", (0,))])
    assert out.returned[0].error.startswith("RecursionError: ")


def test_threads_may_be_used(box):
    source = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def f():\n    with ThreadPoolExecutor(2) as pool:\n"
        "        return list(pool.map(abs, [-1, 2]))"
    )
    assert values(box, source) == [[1, 2]]


# -- what a program does not find


# Every readable page near its own objects: write(2) from an address tells whether it is mapped.
SEARCH = """
import ctypes, os
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]

def f(head, tail, reach=48 << 20):
    r, w = os.pipe()
    large = ctypes.create_string_buffer(1 << 20)
    places = {libc.sbrk(0), id(object()), id(f), ctypes.addressof(large)}
    pages = {page for place in places for page in range(place - reach >> 12, place + reach >> 12)}
    hits = read = 0
    for page in sorted(pages):
        if libc.write(w, page << 12, 4096) == 4096:
            read += 1
            data, at = os.read(r, 4096), -1
            while (at := data.find(head, at + 1)) >= 0:
                hits += data[at + len(head):at + len(head) + len(tail)] == tail
    return hits, read
"""


@pytest.mark.parametrize("way", ["run", "tests"])
def test_a_program_does_not_find_what_another_was_given(way):
    """The memory it was forked from holds nothing of other programs, their tests least of all."""
    mine = Sandbox(size=1)
    mark = os.urandom(20).hex()
    if way == "run":
        out = mine.run("def f(x): return x", [Call("f", (mark,))])
    else:
        out = mine.judge("def f(x): return x", f"assert f('{mark}') == '{mark}'", ["f"])
    assert out.ended == "ok"
    head, tail = mark[:12].encode(), mark[12:].encode()
    ((hits, pages),) = values(mine, SEARCH, ("f", head, tail))
    assert hits == 0
    assert pages > 2000
    ((own, _),) = values(
        mine, f"{SEARCH}\nheld = bytes.fromhex('{(head + tail).hex()}')", ("f", head, tail)
    )
    assert own > 0, "the search finds what is there"
    mine.close()


def test_what_runs_inside_is_out_of_reach_of_imports(box):
    for name in ("improvement", "improvement.sandbox.inside.child", "django", "sandlock"):
        (one,) = box.run(f"def f():\n    import {name}", [Call("f")]).returned
        assert one.error.startswith("ModuleNotFoundError: "), name


def test_the_environment_is_empty(box, monkeypatch):
    monkeypatch.setenv("PAWL_SECRET", "canary")
    assert values(box, "import os\ndef f(): return dict(os.environ)") == [{}]
