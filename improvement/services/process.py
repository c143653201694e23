"""Child processes that never outlive their parent (Linux)."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: int = signal.SIGTERM, *, parent: int | None = None) -> None:
    """Have the kernel send `number` to this process when its parent dies.

    Call it in the child. With `parent` (the expected parent's pid) a parent that died before
    this call is noticed too. A thread that starts a child counts as its parent: start long-lived
    children from the main thread.
    """
    _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)


def _in_child(number: int) -> Callable[[], None]:
    parent = os.getpid()
    return lambda: die_with_parent(number, parent=parent)


def spawn(
    command: Sequence[str],
    *,
    account: pwd.struct_passwd | None = None,
    output: IO[bytes] | int | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    last_signal: int = signal.SIGTERM,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in its own session, as `account`; `last_signal` ends it with its parent.

    `keep` lists file descriptors that the child inherits.
    """
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=dict(environment) if environment is not None else None,
        pass_fds=keep,
        start_new_session=True,  # a Ctrl-C in the terminal reaches only the supervisor
        preexec_fn=_in_child(last_signal),  # runs after the change of user
        **as_account(account),
    )


def as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """subprocess arguments that drop to `account`."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
