"""What a program's process gives up before it runs a line of foreign code."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import math
import mmap
import os
import resource
import signal

from improvement.sandbox.inside.seccomp import Filter
from improvement.sandbox.inside.wire import INBOX, OUTBOX

NOBODY = 65534
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
PAGE = mmap.PAGESIZE
MOST_FILES = 64
STACK = 64 << 20


def drop_user() -> None:
    """From root to nobody, for good. Elsewhere the user is left as it is."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def cap(kind: int, soft: int, hard: int | None = None) -> None:
    """Lower both limits; a smaller limit that is there already is kept."""
    most = resource.getrlimit(kind)[1]
    wanted = soft if hard is None else hard
    high = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(kind, (min(soft, high), high))


def mapped() -> int:
    """Bytes of address space that this process has. /proc is out of reach behind the walls, so:
    the least limit under which one more page may be mapped."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    low, high = 0, 1 << 36  # pages
    try:
        while low < high:
            middle = (low + high) // 2
            resource.setrlimit(resource.RLIMIT_AS, (middle * PAGE, before[1]))
            if _one_more_page():
                high = middle
            else:
                low = middle + 1
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    return low * PAGE


_libc = ctypes.CDLL(None)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def _one_more_page() -> bool:
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    found = _libc.mmap(None, PAGE, mmap.PROT_READ, flags, -1, 0)
    if found in (None, ctypes.c_void_p(-1).value):
        return False
    _libc.munmap(found, PAGE)
    return True


def before_forking(walls: Filter) -> None:
    """The zygote's own state, which every program inherits."""
    with contextlib.suppress(OSError):  # sandlock has done so, and refuses the call from then on
        walls.prctl(PR_SET_DUMPABLE, 0)
    cap(resource.RLIMIT_CORE, 0)
    cap(resource.RLIMIT_FSIZE, 0)
    cap(resource.RLIMIT_NOFILE, MOST_FILES)
    gc.collect()
    gc.freeze()


def close_in(walls: Filter, parent: int, seconds: float, memory: int) -> None:
    """In the program: its descriptors, its limits, its death with its parent."""
    os.closerange(max(INBOX, OUTBOX) + 1, MOST_FILES)
    walls.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    processor = math.ceil(seconds) + 1
    cap(resource.RLIMIT_CPU, processor, processor + 1)
    cap(resource.RLIMIT_STACK, STACK)
    cap(resource.RLIMIT_AS, memory)
