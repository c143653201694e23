"""What goes into the sandbox and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Ended = Literal["ok", "exception", "time", "memory", "output", "exit", "crash"]
"""ok: everything was answered. exception: the program raised. time, memory, output: a limit.
exit: it left early (sys.exit, os._exit). crash: a signal, or nonsense on the wire."""

MOST_RESULTS = 4  # times the limit of one value: what all values of a program may have together


class SandboxRefused(RuntimeError):
    """A wall is missing on this machine, so nothing is run; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """For one program. Seconds are of the wall clock for all of it and for each call; `memory`
    (address space), `output` (all that it prints) and `result` (one returned value on the wire)
    are in bytes."""

    seconds: float = 10.0
    call_seconds: float = 5.0
    memory: int = 512 << 20
    output: int = 1 << 20
    result: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function of the program. Arguments are plain values (see tagged.py)."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Returned:
    """What one call came to: `value` is plain and of exact types; or `error` names the exception
    ("ValueError: bad") or the limit, and `value` is None. `kind` is the nearest exception of
    Python's own that a raised one is one of ("ValueError" for a class that derives from it)."""

    ended: Ended
    value: Any = None
    error: str = ""
    milliseconds: float = 0.0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program came to. `returned` has one entry a call that was made (fewer than asked
    when it ended early); `printed` is the beginning of what it printed (4,000 characters)."""

    ended: Ended
    error: str = ""
    returned: tuple[Returned, ...] = ()
    printed: str = ""
    milliseconds: float = 0.0
    wall: Literal["monty", "process"] = "process"
