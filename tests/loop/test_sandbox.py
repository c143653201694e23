"""The sandbox: what programs return, how their limits end them, what stands between them and
everything else, and judging by asserts in a second process."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from improvement.sandbox import pool, selftest, source, spawn
from improvement.sandbox.inside import seccomp, syscalls, tagged
from improvement.sandbox.pool import Sandbox, sandbox
from improvement.sandbox.records import Call, Limits, SandboxRefused

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


# -- judging


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


# -- the pool


def test_many_threads_share_a_pool(box):
    def one(number):
        (found,) = values(box, "def f(x): return x * 2", ("f", number))
        judged = box.judge("def f(x): return x", f"assert f({number}) == {number}", ["f"])
        return found, judged.ended

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(40))) == [(n * 2, "ok") for n in range(40)]


def test_a_closed_pool_starts_anew(box):
    mine = Sandbox(size=1)
    assert values(mine, "def f(): return 1") == [1]
    mine.close()
    assert values(mine, "def f(): return 2") == [2]
    mine.close()


def test_a_zygote_that_dies_costs_one_program_only():
    mine = Sandbox(size=1)
    values(mine, "def f(): return 1")
    (line,) = mine._lines
    timer = threading.Timer(0.2, os.kill, (line._started._process.pid, 9))
    timer.start()
    out = mine.run("import time\ndef f(): time.sleep(5)", [Call("f")])
    assert out.ended == "time"
    assert values(mine, "def f(): return 2") == [2]
    mine.close()


def test_a_forked_process_has_zygotes_of_its_own(box):
    assert values(box, "def f(): return 1") == [1]
    pid = os.fork()
    if pid == 0:
        try:
            fine = box.run("def f(): return 2", [Call("f")]).returned[0].value == 2
            box.close()
        finally:
            os._exit(0 if fine else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert values(box, "def f(): return 3") == [3]


def test_an_unknown_kit_is_refused():
    with pytest.raises(ValueError, match="Kits: python, math, reasoning_gym"):
        Sandbox("numpy")


def test_the_math_kit_has_its_libraries():
    mine = Sandbox("math", size=1)
    source = "from math_verify import parse, verify\ndef f(a, b): return verify(parse(a), parse(b))"
    assert values(mine, source, ("f", "$1/2$", "0.5"), ("f", "$1/2$", "0.6")) == [True, False]
    mine.close()


# -- the self-test


def test_every_wall_holds_on_this_machine():
    found = selftest.probes()
    assert [probe for probe in found if not probe.ok] == []
    assert len(found) >= 11


def test_every_attempt_of_the_self_test_works_where_there_is_no_wall(tmp_path):
    """Otherwise a wall might seem to hold because the attempt is a bad one."""
    (tmp_path / "canary").write_text("x")
    program = (
        f"{selftest.ATTEMPTS}\n"
        "import sys\n"
        "folder, port, place = sys.argv[1], int(sys.argv[2]), sys.argv[3]\n"
        "if os.fork() == 0:\n    become()\n    os._exit(9)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]) == 0)\n"
        "print(list(read([folder, folder + '/canary'])))\n"
        "print(write([folder]), connect(port, place), start_process(), touch_parent())\n"
        "print(sorted(environment()), change(folder + '/canary'))\n"
    )
    with selftest._listeners(str(tmp_path / "socket")) as port:
        command = [
            sys.executable,
            "-c",
            program,
            str(tmp_path),
            str(port),
            str(tmp_path / "socket"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    told = done.stdout
    assert told.startswith("True\n"), done
    for name in (
        "canary",
        "a file",
        "a folder",
        "a link",
        "127.0.0.1",
        "a Unix socket",
        "an abstract socket",
        "a pair of sockets",
        "fork",
        "vfork",
        "kill",
        "killpg",
        "pidfd_open",
        "priority",
        "chmod",
        "utime",
        "truncate",
        "PATH",
        "no longer ended with its parent",
    ):
        assert name in told, name


def test_a_runtime_without_walls_is_refused_every_time(monkeypatch):
    monkeypatch.setenv("PAWL_SANDBOX_RUNTIME", "env")
    monkeypatch.setattr(pool, "_own", {})
    for _ in range(2):
        with pytest.raises(
            SandboxRefused, match=r"the wall against .* is missing: .*canary.*doctor"
        ):
            sandbox()
    for own in pool._own.values():
        own.close()


def test_a_runtime_with_walls_is_used(monkeypatch):
    runtime = f"{sys.executable} {os.path.dirname(__file__)}/sandbox_runtime.py"
    monkeypatch.setenv("PAWL_SANDBOX_RUNTIME", runtime)
    monkeypatch.setattr(pool, "_own", {})
    assert values(sandbox(), "def f(): return 1") == [1]
    for own in pool._own.values():
        own.close()


def test_a_runtime_is_not_given_our_secrets(monkeypatch):
    monkeypatch.setenv("PAWL_SECRET_KEY", "canary")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    monkeypatch.setenv("PAWL_SANDBOX_RUNTIME", "env")
    started = spawn.start("python")
    given = Path(f"/proc/{started._process.pid}/environ").read_text()
    started.kill()
    assert "canary" not in given
    assert "DOCKER_HOST=unix:///nowhere" in given


def test_a_runtime_that_does_not_start_is_refused(monkeypatch):
    for runtime in ("/nowhere/docker run", "true", "false"):
        monkeypatch.setenv("PAWL_SANDBOX_RUNTIME", runtime)
        monkeypatch.setattr(pool, "_own", {})
        with pytest.raises(SandboxRefused, match="doctor"):
            sandbox()


def test_an_unknown_machine_is_refused():
    with pytest.raises(seccomp.Unsupported, match="riscv64"):
        seccomp.assemble("riscv64", files=False)


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_the_filter_jumps_nowhere_outside(machine):
    code = seccomp.assemble(machine, files=True)
    for at, (kind, true, false, _) in enumerate(code):
        assert kind == seccomp.RETURN or at + 1 + max(true, false) < len(code)
    assert code[-1] == (seccomp.RETURN, 0, 0, seccomp.REFUSE | 1)


def test_the_text_of_a_zygote_fits_one_argument():
    assert len(source.text("reasoning_gym", ["/x" * 500]).encode()) < 128 << 10
