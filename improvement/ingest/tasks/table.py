"""CSV: a header with `prompt` (or `question`) and `answer`, then one task a record.

Optional columns: id, verifier (a kind's name or JSON), family, level, split. The verifier is
`exact` where none is given. A record may hold line ends inside quotes; its number is that of the
line it ends on.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from improvement.ingest.tasks.lines import Raw
from improvement.ingest.tasks.native import made_id, specification
from improvement.ingest.tasks.records import Draft, Line, Problem
from improvement.ingest.tasks.values import Fields

WIDEST = 1 << 20  # characters in one cell


def read_table(raws: Iterable[Raw]) -> Iterator[Line]:
    """Every record after the header."""
    reader = _Records(raws)
    header: list[str] | None = None
    for number, cells, problem in reader:
        if problem:
            yield Line(number, problems=(Problem("line", problem),))
        elif header is None:
            header = [cell.strip().casefold() for cell in cells]
        elif any(cell.strip() for cell in cells):
            yield _line(number, header, cells)


class _Records:
    """The records of a CSV file as (number, cells, problem): `csv` reads the text, and what it
    can't read ends one record, not the file."""

    def __init__(self, raws: Iterable[Raw]) -> None:
        self._raws = iter(raws)
        self._number = 0
        self._long = False

    def _texts(self) -> Iterator[str]:
        for raw in self._raws:
            self._number = raw.number
            self._long = self._long or raw.data is None
            yield (raw.data or b"").decode(errors="surrogateescape") + "\n"

    def __iter__(self) -> Iterator[tuple[int, list[str], str]]:
        csv.field_size_limit(WIDEST)
        reader = csv.reader(self._texts(), strict=True)
        while True:
            self._long = False
            try:
                cells, problem = next(reader), ""
            except StopIteration:
                return
            except csv.Error as error:
                cells, problem = [], f"is not CSV: {error}"
            yield self._number, cells, "is too long" if self._long else problem


def _line(number: int, header: list[str], cells: list[str]) -> Line:
    if len(cells) > len(header):
        said = f"has {len(cells)} cells under a header of {len(header)}"
        return Line(number, problems=(Problem("line", said),))
    values: dict[str, Any] = dict(zip(header, cells, strict=False))
    fields = Fields({name: _value(name, cell) for name, cell in values.items() if cell != ""})
    found = _draft(fields)
    return Line(number, None if fields.problems else found, tuple(fields.problems), fields.ignored)


def _draft(fields: Fields) -> Draft:
    prompt = fields.text("question" if "question" in fields.values else "prompt")
    return Draft(
        id=fields.key("id") or made_id("task", prompt),
        prompt=prompt,
        reference={"answer": fields.text("answer")},
        verifier=specification(fields) or {"kind": "exact"},
        family=fields.family("default"),
        level=fields.level(),
        split=fields.split(),
    )


def _value(name: str, cell: str) -> Any:
    """Levels are numbers and verifiers may be JSON; all else stays text."""
    text = cell.strip()
    if name == "level" and len(text) < 10 and text.isascii() and text.isdigit():
        return int(text)
    if name == "verifier" and text.startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return [text]  # refused as a verifier, with its name
    return text if name in ("split", "family", "id") else cell
