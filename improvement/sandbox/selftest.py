"""Tries every wall from a real program, before anything is run behind them.

A wall that is missing refuses everything: a verdict that could have been forged is worth nothing.
The result holds for this process and those forked from it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from improvement.sandbox import config
from improvement.sandbox.pool import Sandbox
from improvement.sandbox.records import Call, Limits, Outcome, SandboxRefused

ATTEMPTS = (Path(__file__).parent / "attempts.py").read_text(encoding="utf-8")
HARMLESS = frozenset("PATH HOME USER TERM LANG LC_CTYPE HOSTNAME PYTHON_VERSION".split())  # noqa: SIM905
REMEDY = (
    "Use Linux 6.7 or newer with Landlock and seccomp (see docs/sandbox.md), or set "
    "PAWL_SANDBOX_RUNTIME to a container runtime."
)


@dataclass(frozen=True, slots=True)
class Probe:
    """One wall: `name` is what it is against, `text` what was found."""

    name: str
    ok: bool
    text: str


def probes(kit: str = "python", box: Sandbox | None = None) -> list[Probe]:
    """Every wall, tried. The first one that can't be tried at all is the last of the list."""
    found: list[Probe] = []
    mine = Sandbox(kit, 1) if box is None else None
    try:
        found.extend(_all(box or mine))  # type: ignore[arg-type]
    except SandboxRefused as refused:
        found.append(Probe(STARTING, False, str(refused)))
    finally:
        if mine is not None:
            mine.close()
    return found


_known: dict[tuple[str, ...], str] = {}
_lock = threading.Lock()


def _forked() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forked)


def insist(box: Sandbox) -> None:
    """SandboxRefused when a wall is missing, tried once and then remembered."""
    key = (box.kit, *config.runtime())
    with _lock:
        if key not in _known:
            missing = next((probe for probe in probes(box.kit, box) if not probe.ok), None)
            _known[key] = _refusal(missing) if missing else ""
        if _known[key]:
            raise SandboxRefused(_known[key])


def _refusal(missing: Probe) -> str:
    if missing.name == STARTING:
        return missing.text
    said = f"the wall against {missing.name} is missing: {missing.text}"
    return f"{said}. Run `manage.py doctor`."


def _all(box: Sandbox) -> Iterator[Probe]:
    if not config.runtime():
        yield _landlock()
    with tempfile.TemporaryDirectory(prefix="pawl-probe-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - nothing but the walls may be in the way
        yield from _reached(box, Path(folder))
    yield from _limits(box)


def _landlock() -> Probe:
    import sandlock

    found, least = sandlock.landlock_abi_version(), sandlock.min_landlock_abi()
    text = f"Landlock version {found}; {least} is needed"
    return Probe("an old kernel", found >= least, text)


@contextlib.contextmanager
def _listeners(place: str) -> Iterator[int]:
    """Something to connect to: a port, a Unix socket and an abstract one."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as stack:
        for name in (place, f"\0{place}"):
            unix = stack.enter_context(socket.socket(socket.AF_UNIX))
            unix.bind(name)
            unix.listen()
        os.chmod(place, 0o777)  # noqa: S103 - see above
        yield server.getsockname()[1]


def _reached(box: Sandbox, folder: Path) -> Iterator[Probe]:
    """One program tries to reach everything; its last call tries to become another program."""
    canary = folder / "canary"
    canary.write_bytes(os.urandom(16))
    canary.chmod(0o644)
    folders = [str(folder), "/tmp", "/dev/shm", "/var/tmp", os.getcwd()]  # noqa: S108
    place = str(folder / "socket")
    with _listeners(place) as port:
        calls = [
            Call("read", (_secrets(canary),)),
            Call("write", (folders,)),
            Call("change", (str(canary),)),
            Call("connect", (port, place)),
            Call("start_process"),
            Call("touch_parent"),
            Call("environment"),
            Call("user"),
            Call("become"),
        ]
        out = box.run(ATTEMPTS, calls)
        outer = box.run_outside(ATTEMPTS, calls[:4])
    yield _outer(outer, folder)
    values = [one.value if one.ended == "ok" else [f"ended: {one.error}"] for one in out.returned]
    values += [[f"ended: {out.error}"]] * (len(calls) - len(values))
    read, write, change, connect, process, parent, environment, user, become = values
    yield _none("reading files", _same(read))
    yield _none("writing files", [*write, *change])
    yield _none("the network", connect)
    yield _none("starting processes", [*process, *(become or [])])
    yield _none("reaching other processes", parent)
    yield _none("secrets in the environment", _leaked(environment))
    yield _user(user)


STARTING = "a sandbox that does not start"
PAST = "a program that got past its own filter"
CONNECTED = {"127.0.0.1", "a Unix socket", "an abstract socket"}


def _outer(out: Outcome, folder: Path) -> Probe:
    """What sandlock or the runtime holds back by itself. A container has places of its own to
    write to: what counts there is the host's folder."""
    if [one.ended for one in out.returned] != ["ok"] * 4:
        return Probe(PAST, False, f"not tried: {out.error or out.returned}")
    read, write, change, connect = (one.value for one in out.returned)
    if config.runtime():
        write = [name for name in write if str(folder) in name]
    return _none(PAST, [*_same(read), *write, *change, *CONNECTED.intersection(connect)])


def _secrets(canary: Path) -> list[str]:
    home = os.environ.get("PAWL_HOME")
    wanted = [str(canary), home] if home else [str(canary)]
    if not config.runtime():  # a container has files of its own at these places
        wanted += [os.path.expanduser("~"), os.getcwd(), "/etc/passwd", "/etc/hosts"]
    return wanted


def _same(found: Any) -> list[str]:
    """The paths that hold inside what they hold here."""
    if not isinstance(found, dict):
        return [str(found)]
    return [path for path, held in found.items() if _held(path) == held]


def _held(path: str) -> object:
    try:
        if os.path.isdir(path):
            return sorted(os.listdir(path))[:20]
        with open(path, "rb") as file:
            return file.read(4096)
    except OSError:
        return None


def _leaked(found: Any) -> list[str]:
    if not isinstance(found, dict):
        return [str(found)]
    return [n for n, v in found.items() if n not in HARMLESS and os.environ.get(n) == v]


def _none(name: str, found: list[Any]) -> Probe:
    done = ", ".join(str(one) for one in found)
    return Probe(name, not found, f"possible: {done}"[:300] if found else "refused")


def _user(found: list[Any]) -> Probe:
    name, text = "the rights of root", f"runs as user {found[0]}"
    return Probe(name, all(isinstance(one, int) and one != 0 for one in found), text)


def _limits(box: Sandbox) -> Iterator[Probe]:
    small = Limits(seconds=5.0, memory=64 << 20, output=10_000)
    out = box.run(ATTEMPTS, [Call("take_memory", (256 << 20,))], small)
    yield _ended("a memory bomb", out, "memory")
    out = box.run(ATTEMPTS, [Call("go_on_for_ever")], Limits(call_seconds=0.1))
    yield _ended("an endless loop", out, "time")
    out = box.run(ATTEMPTS, [Call("flood", (100_000,))], small)
    yield _ended("a flood of output", out, "output")


def _ended(name: str, out: Outcome, wanted: str) -> Probe:
    return Probe(name, out.ended == wanted, out.error or f"it ended with {out.ended!r}")
