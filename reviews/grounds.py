"""Why a verdict came out as it did: its evidence as facts, tables and parts within parts.

Evidence is free JSON and quotes what a model wrote: every text is cleaned here and escaped by the
templates. What is long or deep is cut; the raw record has all of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reviews.wording import plain

LETTERS_SHOWN = 2_000
ROWS_SHOWN = 50
COLUMNS_SHOWN = 8
DEEPEST = 6
FIRST = ("reason", "expected", "found")
COLUMNS = ("field", "case", "seed", "verdict", "expected", "found", "", "reason")
ANSWERS = ("pass", "fail", "error")


@dataclass(frozen=True, slots=True)
class Table:
    """A list of alike objects, such as votes or fields. Cells are cleaned text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    hidden: int


@dataclass(frozen=True, slots=True)
class Grounds:
    """`parts`: the verdicts that a combination was made of, with the grounds of each."""

    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()
    parts: Sequence[Part] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    kind: str
    answer: str
    score: float | None
    grounds: Grounds = field(default_factory=Grounds)


def grounds_of(evidence: Any, depth: int = 0, above: Mapping[str, Any] | None = None) -> Grounds:
    """What `evidence` says. What it only repeats of the evidence `above` is left out."""
    whole = evidence if isinstance(evidence, dict) else {"evidence": evidence}
    names = [*(n for n in FIRST if n in whole), *sorted(set(whole) - {*FIRST, "step", "parts"})]
    facts, tables = [], []
    for name in names:
        value = whole[name]
        if value in (None, "", [], {}) or (name in FIRST[1:] and value == (above or {}).get(name)):
            continue
        if _alike(value):
            tables.append(_table(_words(name), value))
        else:
            facts.append((_words(name), cell(value)))
    parts = whole.get("parts")
    if not (isinstance(parts, list) and all(isinstance(part, dict) for part in parts)):
        more = [("parts", cell(parts))] if parts else []
        return Grounds([*facts, *more], tables)
    if depth >= DEEPEST:
        return Grounds(facts, tables, cut=bool(parts))
    shown = [_part(part, depth, whole) for part in parts[:ROWS_SHOWN]]
    return Grounds(facts, tables, shown, cut=len(parts) > ROWS_SHOWN)


def cell(value: Any) -> str:
    """One value in words: yes and no, "passed 1, of 3", or JSON where it is nested further."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and not any(isinstance(v, (dict, list)) for v in value.values()):
        names = sorted(value, key=lambda name: (name == "of", name))
        value = ", ".join(f"{_words(name)} {cell(value[name])}" for name in names)
    elif isinstance(value, list) and not any(isinstance(v, (dict, list)) for v in value):
        value = ", ".join(cell(v) for v in value)
    elif isinstance(value, (dict, list)):
        value = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    return plain(value)[:LETTERS_SHOWN]


def _part(part: Mapping[str, Any], depth: int, above: Mapping[str, Any]) -> Part:
    answer, score = part.get("answer"), part.get("score")
    return Part(
        kind=cell(part.get("kind", "part"))[:60],
        answer=answer if answer in ANSWERS else "error",
        score=score if isinstance(score, (int, float)) else None,
        grounds=grounds_of(part.get("evidence") or {}, depth + 1, above),
    )


def _alike(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    shown = rows[:ROWS_SHOWN]
    found = dict.fromkeys(name for row in shown for name in row)
    names = sorted(found, key=_place)[:COLUMNS_SHOWN]
    cells = [[cell(row.get(name)) for name in names] for row in shown]
    return Table(title, [_words(name) for name in names], cells, len(rows) - len(shown))


def _place(column: str) -> int:
    """What a row is about comes first, its reason last: a database keeps no order in JSON."""
    return COLUMNS.index(column) if column in COLUMNS else COLUMNS.index("reason") - 1


def _words(name: object) -> str:
    return plain(name).replace("_", " ")[:60]
