"""Starts an interpreter behind the walls: sandlock, or the runtime that the machine is told to use.

Whatever starts it, the rest speaks with it over two pipes and can end it for good.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import Any, Protocol

from improvement.sandbox import config, source
from improvement.sandbox.records import SandboxRefused

CLIENT = frozenset(["PATH", "HOME", "USER", "LANG", "XDG_RUNTIME_DIR"])
CLIENTS = ("DOCKER_", "CONTAINER_", "PODMAN_")
MOST_PROCESSES = 8  # the zygote, its program, and some that are being buried


class Started(Protocol):
    """A running interpreter: the pipe ends, and two ways of letting go of it."""

    inbox: int
    outbox: int

    def kill(self) -> None: ...

    def forget(self) -> None:
        """In a forked process: close what was inherited, touch nothing else."""
        ...


def start(kit: str) -> Started:
    """SandboxRefused when it can't be started."""
    prefix = config.runtime()
    try:
        return _Contained(prefix, kit) if prefix else _Walled(kit)
    except (ImportError, OSError, RuntimeError) as error:
        by = prefix[0] if prefix else "sandlock"
        raise SandboxRefused(
            f"no process could be started behind {by}: {error}. Run `manage.py doctor`."
        ) from error


class _Walled:
    """Behind Landlock and seccomp by sandlock: reads Python's files, writes nothing, no network."""

    def __init__(self, kit: str) -> None:
        import sandlock

        walls = sandlock.Sandbox(
            fs_readable=config.readable(kit),
            fs_writable=["/dev/null"],
            clean_env=True,
            env={"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            max_processes=MOST_PROCESSES,
            no_coredump=True,
        )
        text = source.text(kit, config.libraries(kit))
        mode = sandlock.StdioMode
        command = [config.interpreter(), "-I", "-S", "-c", text]
        self._process: Any = walls.popen(command, mode.PIPED, mode.PIPED, mode.NULL)
        self.inbox, self.outbox = self._process.stdin.fileno(), self._process.stdout.fileno()
        for fd in (self.inbox, self.outbox):
            os.set_inheritable(fd, False)

    def kill(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._process.kill()
        with contextlib.suppress(OSError, RuntimeError):
            self._process.wait(timeout=10)
        self._close()

    def forget(self) -> None:
        self._process._handle = None  # the parent's to free: freeing it here would kill its child
        self._close()

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()


def _for_the_client() -> dict[str, str]:
    """Of our environment, what a container client needs: no secret of ours."""
    return {n: v for n, v in os.environ.items() if n in CLIENT or n.startswith(CLIENTS)}


class _Contained:
    """Behind a runtime's own walls, in a process group of its own."""

    def __init__(self, prefix: list[str], kit: str) -> None:
        text = source.text(kit, config.libraries(kit))
        self._process = subprocess.Popen(
            [*prefix, "python3", "-I", "-S", "-c", text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_for_the_client(),
            bufsize=0,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes")
        self._streams = (self._process.stdin, self._process.stdout)
        self.inbox, self.outbox = (stream.fileno() for stream in self._streams)

    def kill(self) -> None:
        self._close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)

    def forget(self) -> None:
        self._process.returncode = 0  # not this process's child: never waited for here
        self._close()

    def _close(self) -> None:
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.close()
