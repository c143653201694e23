"""The fast path: simple programs run in Monty, a small Python of its own in worker processes.

It may only ever say "these are the values": None means "ask the walled CPython", and is the answer
to anything else (a feature that Monty lacks or may understand otherwise, an exception, a limit,
a value that is not plain). Monty gives programs no files, no network, no environment; its workers
start with an empty one, end when our end of their pipe closes, and are thrown away at a limit.

A value leaves Monty as a small tree of lists, numbers and text only: turning a hostile dictionary
(keys that all hash alike), a shared structure or a deep one into Python's would take this process
hours. The function that makes the tree uses names that `screen` refuses in programs.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_monty import CollectString, Monty, MontyError, MontySession

from improvement.sandbox.inside.tagged import decode, dumps
from improvement.sandbox.records import MOST_RESULTS, Call, Limits, Outcome, Returned
from improvement.sandbox.screen import Different, annotation_names

USUAL = Limits()
LONGEST_CALL = 0.2  # seconds: a program that needs more gains nothing here
LONGEST = 0.5
MOST_MEMORY = 32 << 20
MOST_PRINTED = 4_000

_TREE = """

def __tree(x, left, depth):
    left[0] -= 1
    kind = type(x)
    if left[0] < 0 or depth > 50:
        return 1 / 0
    if x is None or kind is __bool or kind is __float or kind is __str:
        return x
    if kind is __int:
        return x if -__BIG < x < __BIG else 1 / 0
    if kind is __list:
        return [__tree(y, left, depth + 1) for y in x]
    if kind is __tuple:
        return {"$tuple": [__tree(y, left, depth + 1) for y in x]}
    if kind is __dict:
        return {
            "$dict": [
                [__tree(k, left, depth + 1), __tree(v, left, depth + 1)] for k, v in x.items()
            ]
        }
    return 1 / 0

__bool, __float, __str, __int = type(True), type(0.0), type(""), type(0)
__list, __tuple, __dict = type([]), type(()), type({})
__BIG = 1 << 4096
None
"""

_PLAIN_TEXT = re.compile(r"[\n\r\t\x20-\x7e]*")
_REFUSALS = (MontyError, OSError, ValueError, TypeError, RuntimeError, ArithmeticError, MemoryError)
_pool: list[Monty] = []  # none or one, made at first use
_lock = threading.Lock()
_inherited = False


def run_fast(source: str, calls: Sequence[Call], limits: Limits = USUAL) -> Outcome | None:
    """The values of `calls` in `source`, or None: then only CPython can tell."""
    started = time.perf_counter()
    try:
        names = annotation_names(source)
        if not all(_same_arguments(call) for call in calls):
            return None
        return _run(source, names, calls, limits, started)
    except (Different, *_REFUSALS):
        return None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # Rust's, and no Exception
            return None
        raise


def _run(
    source: str, names: list[str], calls: Sequence[Call], limits: Limits, started: float
) -> Outcome | None:
    printed = CollectString(MOST_PRINTED)
    returned: list[Returned] = []
    left = MOST_RESULTS * limits.result
    with _made().checkout(limits=_limits(limits), assert_message_annotations=False) as session:
        looked_up = f"({', '.join(names)},)\n" if names else ""
        session.feed_run(f"{source}\n{_TREE}{looked_up}None\n", print_callback=printed)
        for call in calls:
            began = time.perf_counter()
            if began - started > min(limits.seconds, LONGEST):
                return None
            value = decode(_call(session, call, printed))
            left -= len(dumps(value, limits.result))  # refuses what the wall would refuse
            if left < 0:
                return None
            returned.append(Returned("ok", value, "", _since(began)))
    return Outcome("ok", "", tuple(returned), printed.output, _since(started), "monty")


def _call(session: MontySession, call: Call, printed: CollectString) -> Any:
    if not call.name.isidentifier():
        raise Different
    inputs = {"__args": call.args, "__kwargs": dict(call.kwargs)}
    return session.feed_run(
        f"__tree({call.name}(*__args, **__kwargs), [20000], 0)",
        inputs=inputs,
        print_callback=printed,
    )


def _limits(limits: Limits) -> Any:
    return {
        "max_feed_duration_secs": min(limits.call_seconds, LONGEST_CALL),
        "max_memory": min(limits.memory, MOST_MEMORY),
        "max_recursion_depth": 900,
        "max_suspensions": 10,
        "max_total_sleep_secs": 0.0,
    }


def _made() -> Monty:
    """The pool of this process."""
    if _inherited:
        raise Different
    with _lock:
        if not _pool:
            pool = Monty(request_timeout=2.0, checkout_timeout=10.0, feed_duration_limit_grace=0.5)
            _pool.append(pool.__enter__())
        return _pool[0]


def _forked() -> None:
    """Monty's threads don't survive a fork, and a new pool would wait for them for ever: the child
    of a process that used it goes without. The child of one that did not makes its own."""
    global _inherited, _lock
    _inherited = _inherited or bool(_pool)
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forked)


def _same_arguments(call: Call) -> bool:
    """Whether the arguments are of types that both Pythons treat alike."""
    return _same([call.args, dict(call.kwargs)], 0)


def _same(values: Iterable[Any], depth: int) -> bool:
    return depth < 20 and all(_same_one(value, depth) for value in values)


def _same_one(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind is str:
        return _PLAIN_TEXT.fullmatch(value) is not None
    if kind in (list, tuple):
        return _same(value, depth + 1)
    if kind is dict:
        return _same([*value, *value.values()], depth + 1)
    return value is None or kind in (bool, int, float)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
