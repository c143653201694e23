"""Reading a file of outputs: one JSON object a line, `{"task": id, "output": text}`.

Bytes are read line by line and memory stays flat. What is wrong with an output is kept as it is,
for the verdict to say; what is wrong with a line itself (no JSON, no task) is its `fault`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from improvement.ingest.tasks.lines import raw_lines

LONGEST = 64 << 20  # bytes in one line; a longer one is skipped and named
NOTHING: Any = object()
LARGEST_ID = 10**18
_TASK = re.compile(rb'"task"\s*:\s*("(?:[^"\\]|\\.){0,1000}")')
_NAMES = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
_NAMES |= {dict: "an object", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line. `trouble` is what the attempt did wrong (a fail); `fault` is what is wrong with
    the line (an error, as nobody knows what to judge). `id` is carried through where there is
    one."""

    line: int
    task: str = ""
    output: str = ""
    id: Any = NOTHING
    trouble: str = ""
    fault: str = ""


def attempts(stream: BinaryIO, longest: int = LONGEST) -> Iterator[Attempt]:
    """Every line that is not blank, in order."""
    for raw in raw_lines(stream, longest):
        if raw.data is None:
            yield Attempt(raw.number, fault=f"the line is longer than {longest >> 20} MB")
        elif not raw.blank:
            yield _attempt(raw.number, raw.data)


def _attempt(number: int, data: bytes) -> Attempt:
    """Bytes that are not UTF-8 become lone surrogates, which every verifier fails."""
    try:
        value = json.loads(data.decode("utf-8", "surrogateescape"), parse_constant=_refused)
    except RecursionError:
        return _too_deep(number, data)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at character {error.pos + 1}"
        return Attempt(number, fault=f"the line is not JSON: {where}")
    except ValueError as error:
        return Attempt(number, fault=f"the line is not JSON: {str(error)[:200]}")
    if not isinstance(value, dict):
        return Attempt(number, fault=f"the line is {_name(value)}, not an object")
    return _from_object(number, value)


def _from_object(number: int, value: dict[str, Any]) -> Attempt:
    task, output, id_ = value.get("task"), value.get("output", NOTHING), value.get("id", NOTHING)
    if not _is_json(id_):
        return Attempt(number, fault="the line's id holds a number that is too large")
    if isinstance(task, int) and not isinstance(task, bool) and abs(task) < LARGEST_ID:
        task = str(task)  # MBPP's ids are numbers
    if not isinstance(task, str) or not task:
        said = "the line names no task" if "task" not in value else f"task is {_name(task)}"
        return Attempt(number, id=id_, fault=f'{said}; write {{"task": id, "output": text}}')
    if isinstance(output, str):
        return Attempt(number, task, output, id_)
    said = "it has no output" if output is NOTHING else f"its output is {_name(output)}, not text"
    return Attempt(number, task, "", id_, trouble=said)


def _too_deep(number: int, data: bytes) -> Attempt:
    """The task's name is still found, so that its attempt fails instead of being lost."""
    said = "the output is nested too deeply to be read"
    named = _TASK.search(data)
    if named is None:
        return Attempt(number, fault="the line is nested too deeply to be read")
    task = json.loads(named[1].decode("utf-8", "surrogateescape"), strict=False)
    return Attempt(number, task, "", trouble=said)


def _is_json(value: Any) -> bool:
    try:
        return value is NOTHING or bool(json.dumps(value, allow_nan=False))
    except ValueError:
        return False


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _name(value: Any) -> str:
    return _NAMES.get(type(value), "text")
