"""`read(path)`: the drafts of a file of tasks, one line at a time, whatever its size."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from improvement.ingest.tasks import gsm8k, humaneval, mbpp, native
from improvement.ingest.tasks.lines import LONGEST, Raw, raw_lines
from improvement.ingest.tasks.records import Check, Draft, Line, Problem
from improvement.ingest.tasks.table import read_table
from improvement.ingest.tasks.values import Fields, Unreadable, object_of

READERS: Mapping[str, Callable[[Fields], Draft]] = {
    "native": native.draft,
    "gsm8k": gsm8k.draft,
    "humaneval": humaneval.draft,
    "mbpp": mbpp.draft,
}
FORMATS = ("auto", *READERS, "csv")


class FormatError(ValueError):
    """The format is unknown; the message names those that there are."""


def read(
    source: str | Path | BinaryIO, format: str = "auto", check: Check | None = None
) -> Iterator[Line]:
    """Every line of `source` (a path or an open binary file) as a draft or as its problems.

    Memory does not grow with the file. `check` looks at each line's verifier specification.
    OSError where the path can't be opened.
    """
    if format not in FORMATS:
        raise FormatError(f"format {format!r} is unknown. Formats: {', '.join(FORMATS)}.")
    if isinstance(source, str | Path):
        return _opened(Path(source), format, check)
    name = str(getattr(source, "name", ""))
    return _lines(raw_lines(source), format, check, name)


def _opened(path: Path, format: str, check: Check | None) -> Iterator[Line]:
    stream = path.open("rb")  # now, not at the first line: the caller hears of a missing file

    def lines() -> Iterator[Line]:
        with io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream as opened:
            yield from _lines(raw_lines(opened), format, check, path.name)

    return lines()


def _lines(raws: Iterator[Raw], format: str, check: Check | None, name: str) -> Iterator[Line]:
    if format == "auto":
        first = next((raw for raw in raws if not raw.blank), None)
        if first is None:
            return
        format = _guess(first, name)
        raws = chain([first], raws)
    checked = _Checked(check)
    found = read_table(raws) if format == "csv" else _read_objects(raws, READERS[format])
    for line in found:
        yield checked(line)


def _guess(first: Raw, name: str) -> str:
    """By the keys of the first object; a file without objects is CSV by its name or its header."""
    try:
        keys = set(object_of(first.data or b""))
    except Unreadable:
        header = {cell.strip(b' "').lower() for cell in (first.data or b"").split(b",")}
        is_table = b"answer" in header and bool(header & {b"prompt", b"question"})
        return "csv" if is_table or name.lower().endswith(".csv") else "native"
    if "test_list" in keys:
        return "mbpp"
    if {"test", "entry_point"} <= keys:
        return "humaneval"
    return "gsm8k" if {"question", "answer"} <= keys else "native"


def _read_objects(raws: Iterable[Raw], reader: Callable[[Fields], Draft]) -> Iterator[Line]:
    for raw in raws:
        if raw.data is None:
            said = f"is longer than {LONGEST >> 20} MB"
            yield Line(raw.number, problems=(Problem("line", said),))
        elif not raw.blank:
            yield _read_object(raw.number, raw.data, reader)


def _read_object(number: int, data: bytes, reader: Callable[[Fields], Draft]) -> Line:
    try:
        fields = Fields(object_of(data))
    except Unreadable as error:
        return Line(number, problems=(Problem("line", str(error)),))
    draft = reader(fields)
    problems = tuple(fields.problems)
    return Line(number, None if problems else draft, problems, fields.ignored)


class _Checked:
    """Looks at verifier specifications; equal ones in a row are looked at once."""

    def __init__(self, check: Check | None) -> None:
        self._check = check
        self._last: object = None
        self._said = ""

    def __call__(self, line: Line) -> Line:
        if self._check is None or line.draft is None or not line.draft.verifier:
            return line
        if line.draft.verifier != self._last:
            self._last, self._said = line.draft.verifier, self._check(line.draft.verifier)
        if not self._said:
            return line
        return Line(line.number, None, (Problem("verifier", self._said),), line.ignored)
