"""Nothing is left behind: after thousands of programs, after abuse, after the host is killed."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from improvement.sandbox import selftest
from improvement.sandbox.pool import Sandbox
from improvement.sandbox.records import Call, Limits

PROGRAMS = 2000 if os.environ.get("PAWL_FAULTS") == "large" else 800
PLAIN = "def f(x):\n    return sorted(x)"
ODD = [
    ("def f(x): raise ValueError", "ok"),
    ("def f(x): return object()", "ok"),
    ("import os\ndef f(x): os._exit(0)", "exit"),
    ("import os\ndef f(x): os.write(4, b'nonsense')", "crash"),
    ("import ctypes\ndef f(x): ctypes.string_at(0)", "crash"),
    ("def f(x): print('x' * 10_000)", "output"),
    ("1 / 0", "exception"),
]
HOST = """
import sys
from improvement.sandbox import selftest
from improvement.sandbox.pool import Sandbox
from improvement.sandbox.records import Call, Limits
box = Sandbox(size=1)
box.run("def f(): return 1", [Call("f")])
print("ready", flush=True)
box.run("def f():\\n    while True: pass", [Call("f")], Limits(600, 600))
"""


def held():
    """Descriptors, threads and children (and theirs) of this process."""
    gc.collect()  # what other tests have left
    me = psutil.Process()
    return me.num_fds(), me.num_threads(), len(me.children(recursive=True))


def memory():
    me = psutil.Process()
    return sum(one.memory_info().rss for one in [me, *me.children(recursive=True)]) >> 20


def test_many_programs_leave_nothing_behind():
    box = Sandbox(size=1)
    box.run(PLAIN, [Call("f", ([2, 1],))])
    before, full = settled(), memory()
    for number in range(PROGRAMS):
        out = box.run(PLAIN, [Call("f", ([number, 1],))])
        assert out.returned[0].value == sorted([number, 1])
    assert settled() == before
    assert memory() < full + 20
    box.close()


def test_programs_that_end_badly_leave_nothing_behind():
    box = Sandbox(size=1)
    small = Limits(output=5_000)
    for source, _ in ODD:
        box.run(source, [Call("f", (1,))], small)
        box.judge(source, "f(1)", ["f"], small)
    before = settled()
    for _ in range(15):
        for source, ended in ODD:
            assert box.run(source, [Call("f", (1,))], small).ended == ended
            box.judge(source, "f(1)", ["f"], small)
    assert settled() == before
    box.close()


def test_a_closed_sandbox_has_let_go_of_everything():
    before = settled()
    for _ in range(3):
        box = Sandbox(size=2)
        box.judge(PLAIN, "assert f([1]) == [1]", ["f"])
        box.close()
    after = settled()
    assert after[0] <= before[0]
    assert after[2] == before[2]


def test_no_file_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert all(probe.ok for probe in selftest.probes())
    box = Sandbox(size=1)
    box.judge(PLAIN, "assert f([1]) == [1]", ["f"])
    box.close()
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_is_killed_takes_every_process_with_it():
    root = Path(__file__).parents[2]
    host = subprocess.Popen(
        [sys.executable, "-c", HOST], stdout=subprocess.PIPE, cwd=root, text=True
    )
    assert host.stdout.readline() == "ready\n"
    family = within(lambda: psutil.Process(host.pid).children(recursive=True), least=2)
    started = len(family)
    os.kill(host.pid, signal.SIGKILL)
    host.wait()
    host.stdout.close()
    gone, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    assert len(gone) == started


def within(found, least):
    until = time.monotonic() + 20
    while len(now := found()) < least:
        if time.monotonic() > until:
            pytest.fail("the program did not start")
        time.sleep(0.01)
    return now


def settled():
    """What is held once the last program is buried."""
    until, found = time.monotonic() + 5, held()
    while time.monotonic() < until:
        time.sleep(0.05)
        now = held()
        if now == found:
            return now
        found = now
    return found
