"""What the self-test tries from inside. This text is run behind the walls and never in Pawl itself.

Each function gives what it could do, as plain values; nothing where the wall held. The attempts are
harmless where they succeed: signal 0, a file of no content, a read of what the test has put there.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable
from functools import partial


def worked(attempts: dict[str, Callable[[], object]]) -> list[str]:
    """The names of the attempts that were not refused."""
    found = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except Exception:  # noqa: S112 - refused, in whatever way
            continue
        found.append(name)
    return found


def read(paths: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in paths:
        try:
            if os.path.isdir(path):
                found[path] = sorted(os.listdir(path))[:20]
            else:
                with open(path, "rb") as file:
                    found[path] = file.read(4096)
        except OSError:
            continue
    return found


def write(folders: list[str]) -> list[str]:
    found = []
    for folder in [*folders, os.getcwd()]:
        path = os.path.join(folder, f"pawl-{os.getpid()}")
        attempts: dict[str, Callable[[], object]] = {
            "a file": partial(touch, path),
            "a folder": partial(make, f"{path}-folder"),
            "a link": partial(link, f"{path}-link"),
        }
        found += [f"{name} in {folder}" for name in worked(attempts)]
    return found


def touch(path: str) -> None:
    with open(path, "w"):
        os.unlink(path)


def make(path: str) -> None:
    os.mkdir(path)
    os.rmdir(path)


def link(path: str) -> None:
    os.symlink("/", path)
    os.unlink(path)


def change(path: str) -> list[str]:
    return worked(
        {
            "chmod": lambda: os.chmod(path, 0o600),
            "utime": lambda: os.utime(path),
            "truncate": lambda: os.truncate(path, 0),
            "rename": lambda: os.rename(path, f"{path}-renamed"),
            "unlink": lambda: os.unlink(path),
        }
    )


def connect(port: int, place: str) -> list[str]:
    """`port` listens on 127.0.0.1, `place` is the path of a Unix socket that listens."""

    def unix(name: str) -> None:
        with socket.socket(socket.AF_UNIX) as mine:
            mine.connect(name)

    return worked(
        {
            "an internet socket": lambda: socket.socket(socket.AF_INET).close(),
            "127.0.0.1": lambda: socket.create_connection(("127.0.0.1", port), 1).close(),
            "a Unix socket": partial(unix, place),
            "an abstract socket": partial(unix, f"\0{place}"),
            "a pair of datagram sockets": lambda: socket.socketpair(type=socket.SOCK_DGRAM),
        }
    )


def start_process() -> list[str]:
    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    return worked({"fork": fork, "vfork": lambda: os.posix_spawn("/bin/true", ["true"], {})})


def become() -> None:
    """Comes back only where the wall holds."""
    worked({"exec": lambda: os.execv("/bin/true", ["true"])})  # noqa: S606


def touch_parent() -> list[str]:
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name: str, *values: int) -> None:
        longs = [ctypes.c_long(value) for value in values]
        if getattr(libc, name)(*longs) < 0:
            raise OSError(ctypes.get_errno(), name)

    def memory(pid: str) -> None:
        with open(f"/proc/{pid}/mem", "rb"):
            pass

    return worked(
        {
            "kill": lambda: os.kill(parent, 0),
            "kill all": lambda: os.kill(-1, 0),
            "killpg": lambda: os.killpg(os.getpgid(0), 0),
            "ptrace": lambda: call("ptrace", 0x4206, parent, 0, 0),
            "process_vm_readv": lambda: call("process_vm_readv", parent, 0, 0, 0, 0, 0),
            "pidfd_open": lambda: os.pidfd_open(parent),
            "priority": lambda: os.setpriority(0, parent, os.getpriority(0, parent)),
            "memory": lambda: memory(str(parent)),
            "unshare": lambda: call("unshare", 0x10000000),
            "no longer ended with its parent": lambda: call("prctl", 1, 0, 0, 0, 0),
        }
    )


def environment() -> dict[str, str]:
    libc = ctypes.CDLL(None)
    found, at = dict(os.environ), 0
    entries = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    while entries and entries[at] is not None:
        name, _, value = entries[at].decode(errors="replace").partition("=")
        found[name] = value
        at += 1
    return found


def user() -> list[int]:
    return [os.getuid(), os.geteuid(), os.getgid(), *os.getgroups()]


def take_memory(count: int) -> int:
    return len(bytearray(count))


def go_on_for_ever() -> None:
    while True:
        pass


def flood(count: int) -> None:
    print("x" * count)
