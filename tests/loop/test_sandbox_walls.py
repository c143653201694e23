"""The pool of walled processes and the self-test that tries each wall."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from improvement.sandbox import pool, selftest, source, spawn
from improvement.sandbox.inside import seccomp, syscalls
from improvement.sandbox.line import Line
from improvement.sandbox.pool import Sandbox, sandbox
from improvement.sandbox.records import Call, SandboxRefused


@pytest.fixture(scope="module")
def box():
    found = Sandbox(size=2)
    yield found
    found.close()


def values(box, source, *calls):
    out = box.run(source, [Call(name, args) for name, *args in calls] or [Call("f")])
    assert out.ended == "ok", out
    return [one.value for one in out.returned]


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


def killed_soon(box):
    (line,) = box._lines
    timer = threading.Timer(0.2, os.kill, (line._started._process.pid, 9))
    timer.start()
    return timer


def test_a_program_whose_zygote_dies_is_run_again():
    mine = Sandbox(size=1)
    values(mine, "def f(): return 1")
    killed_soon(mine)
    assert values(mine, "import time\ndef f():\n    time.sleep(0.6)\n    return 2") == [2]
    mine.close()


def test_a_zygote_that_dies_twice_is_no_verdict(monkeypatch):
    mine = Sandbox(size=1)
    begin = Line.begin

    def dying(line, *given):
        begin(line, *given)
        os.kill(line._started._process.pid, 9)

    monkeypatch.setattr(Line, "begin", dying)
    with pytest.raises(SandboxRefused, match="broke down twice"):
        mine.run("def f(): return 1", [Call("f")])
    with pytest.raises(SandboxRefused, match="broke down twice"):
        mine.judge("def f(): return 1", "f()", ["f"])
    monkeypatch.undo()
    assert values(mine, "def f(): return 3") == [3]
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
        "a pair of datagram sockets",
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
    place, given = Path(f"/proc/{started._process.pid}/environ"), ""
    deadline = time.monotonic() + 20
    while (not given or "canary" in given) and time.monotonic() < deadline:
        given = place.read_text()  # empty, or our own, until the child has become the runtime
        time.sleep(0.01)
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
