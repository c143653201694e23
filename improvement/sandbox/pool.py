"""The sandbox as others use it: run a program's functions, or judge it by assert code.

Thread-safe. A call takes an idle zygote (a loaded interpreter behind the walls), which forks one
process for this program alone. What the program does wrong is in the outcome; SandboxRefused means
that nothing was run because a wall is missing.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from improvement.sandbox import answers, config
from improvement.sandbox.inside import tagged, wire
from improvement.sandbox.judged import Judged
from improvement.sandbox.line import GRACE, Answer, End, Gone, Line, Stuck
from improvement.sandbox.records import (
    MOST_RESULTS,
    Call,
    Limits,
    Outcome,
    Returned,
    SandboxRefused,
)

MOST_GIVEN = 64 << 20  # bytes of source or of the arguments of one call
STOPPING = ("time", "memory", "output", "exit", "crash")


class Sandbox:
    """`size` programs of a kit at a time (default: one a processor); more callers wait."""

    def __init__(self, kit: str = "python", size: int | None = None) -> None:
        if kit not in config.KITS:
            raise ValueError(f"kit {kit!r} is unknown. Kits: {', '.join(config.KITS)}.")
        self.kit = kit
        self.size = size or len(os.sched_getaffinity(0))
        self._reset()
        _everyone.add(self)

    def _reset(self) -> None:
        self._room = threading.Semaphore(self.size)
        self._lock = threading.Lock()
        self._closed = False
        # tests have zygotes of their own: a candidate is never forked from one that saw tests
        self._idle: dict[str, list[Line]] = {"candidate": [], "tests": []}
        self._lines: set[Line] = set()

    def run(self, source: str, calls: Sequence[Call], limits: Limits = Limits()) -> Outcome:  # noqa: B008 - frozen
        """Execute `source`, then call its functions in order, all in one fresh process.

        A call that raises does not stop the others; a limit, an exit or a crash does. Outcome
        `ended` is "ok" when all was answered, "exception" when the source itself raised.
        NotPlain (a TypeError) when an argument is not plain.
        """
        return self._run(source, calls, limits, wire.CANDIDATE)

    def run_outside(self, source: str, calls: Sequence[Call]) -> Outcome:
        """For the self-test alone: without the program's own filter, behind the outer walls."""
        return self._run(source, calls, Limits(), wire.OUTER)

    def _run(self, source: str, calls: Sequence[Call], limits: Limits, role: bytes) -> Outcome:
        requests = [_load(source), *(_call(call) for call in calls)]

        def once() -> Outcome:
            with self._room, self._line("candidate") as line:
                return _run(line, requests, limits, role)

        return _twice(once)

    def judge(
        self,
        source: str,
        tests: str,
        names: Sequence[str],
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> Outcome:
        """Execute the assert code `tests` in a process of its own, where `names` and other globals
        of the candidate are proxies to the candidate's process.

        `returned` has one entry: "ok" with the number of proxy calls as its value, "exception"
        with the error of the tests, or the limit. None when the candidate's source raised.
        """

        def once() -> Outcome:
            with self._room, self._line("candidate") as one, self._line("tests") as other:
                return Judged(one, other, limits).judge(_load(source), tests, names)

        return _twice(once)

    def close(self) -> None:
        """End every process. A sandbox that is used again starts anew."""
        with self._lock:
            lines, self._lines = self._lines, set()
            for idle in self._idle.values():
                idle.clear()
        for line in lines:
            line.kill()

    @contextlib.contextmanager
    def _line(self, role: str) -> Iterator[Line]:
        with self._lock:
            idle = self._idle[role]
            line = idle.pop() if idle else None
        if line is None:
            line = Line(self.kit)
            with self._lock:
                self._lines.add(line)
        try:
            yield line
        except BaseException:  # in the middle of a program: its state is not known
            line.kill()
            raise
        finally:
            self._give_back(role, line)

    def _give_back(self, role: str, line: Line) -> None:
        with self._lock:
            if line.broken or line not in self._lines:
                self._lines.discard(line)
                stray = not line.broken
            else:
                self._idle[role].append(line)
                stray = False
        if stray:
            line.kill()

    def _after_fork(self) -> None:
        """In a forked process the zygotes are the parent's: let go of them and start anew."""
        for line in self._lines:
            line.forget()
        _inherited.extend(self._lines)
        self._reset()


def _run(line: Line, requests: list[bytes], limits: Limits, role: bytes) -> Outcome:
    deadline = time.monotonic() + limits.seconds + GRACE
    line.begin(limits, role)
    for request in requests:
        line.request(request)
    line.finish()
    found: list[Returned] = []
    left = MOST_RESULTS * limits.result
    while isinstance(event := line.next(deadline), Answer):
        if not found or found[-1].ended not in STOPPING:
            left -= len(event.body)
            found.append(answers.returned(event, limits) if left >= 0 else _too_much(limits))
    return _outcome(line, found, event, len(requests))


def _too_much(limits: Limits) -> Returned:
    """A small value on the wire can be forty times as large in this process."""
    most = MOST_RESULTS * limits.result
    return Returned("output", None, f"returned more than {most:,} bytes altogether")


def _outcome(line: Line, found: list[Returned], end: End, asked: int) -> Outcome:
    """The first entry of `found` is the answer to the source itself."""
    loaded, entries = (found[0], found[1:]) if found else (None, [])
    if loaded is not None and loaded.ended != "ok":
        return Outcome(loaded.ended, loaded.error, (), line.printed)
    last = entries[-1] if entries else None
    if last is not None and last.ended in STOPPING:
        return Outcome(last.ended, last.error, tuple(entries), line.printed)
    if end.ended != "ok" and loaded is not None and len(found) < asked:
        entries = [*entries, answers.limit(end)]
    return Outcome(end.ended, end.error, tuple(entries), line.printed)


def _twice(once: Callable[[], Outcome]) -> Outcome:
    """Again where a zygote has died under it, which is never the program's fault; SandboxRefused
    when that happens twice. A zygote that does not answer in time was held up by the program."""
    for _ in range(2):
        started = time.monotonic()
        try:
            return _timed(once(), started)
        except Gone as gone:
            reason = str(gone)
        except Stuck as stuck:
            return _timed(Outcome("time", f"ended by force: {stuck}"), started)
    raise SandboxRefused(f"the sandbox broke down twice: {reason}. Run `manage.py doctor`.")


def _timed(found: Outcome, started: float) -> Outcome:
    return replace(found, milliseconds=(time.monotonic() - started) * 1000)


def _load(source: str) -> bytes:
    return tagged.written({"do": "load", "source": source})


def _call(call: Call) -> bytes:
    given = {
        "do": "call",
        "name": call.name,
        "args": tagged.encode(list(call.args), MOST_GIVEN),
        "kwargs": tagged.encode(dict(call.kwargs), MOST_GIVEN),
    }
    return tagged.written(given)


_everyone: weakref.WeakSet[Sandbox] = weakref.WeakSet()
_inherited: list[Line] = []  # held for good, so that nothing of the parent's is freed here


def _forked() -> None:
    global _own_lock
    _own_lock = threading.Lock()  # another thread of the parent may have held it
    for one in list(_everyone):
        one._after_fork()


os.register_at_fork(after_in_child=_forked)

_own: dict[str, Sandbox] = {}
_own_lock = threading.Lock()


def sandbox(kit: str = "python") -> Sandbox:
    """This process's own sandbox of a kit. SandboxRefused, every time, when a wall is missing."""
    from improvement.sandbox import selftest

    with _own_lock:
        if kit not in _own:
            _own[kit] = Sandbox(kit)
        found = _own[kit]
    selftest.insist(found)
    return found
