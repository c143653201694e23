"""Which outputs are right by themselves, so that a junk battery does not call them junk.

Two golds count as different only where they clearly are: numbers that differ by more than a tenth,
other texts that do not consist of the same characters. So neither "1/2" and "0.5" nor "x+1" and
"1+x" are tried against each other, whatever the verifier thinks of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from improvement.records import TaskRecord
from improvement.verifiers import text
from improvement.verifiers.base import Verifier
from improvement.verifiers.numerals import number

PROGRAMS = {"unit_tests", "asserts"}
MARKS = re.compile(r"\\boxed|####|```(?:json|python)?|[\s{}$,.]")
MOST_JOINED = 8


@dataclass(slots=True)
class Golds:
    """The golds of a battery's tasks, as this verifier makes them."""

    verifier: Verifier
    tasks: Sequence[TaskRecord]
    _known: dict[str, str | None] = field(init=False)

    def __post_init__(self) -> None:
        self._known = {task.key: self.verifier.gold(task) for task in self.tasks}

    def of(self, task: TaskRecord) -> str | None:
        return self._known[task.key]

    def other(self, task: TaskRecord) -> str | None:
        """The first gold of another task that is clearly none of this one."""
        return next(iter(self.all_but(task)), None)

    def all_but(self, task: TaskRecord) -> list[str]:
        """Golds of other tasks that are clearly none of this one."""
        right = list(self._right(task))
        if not right:
            return []
        found = (gold for key, gold in self._known.items() if gold is not None and key != task.key)
        different = (g for g in dict.fromkeys(found) if all(differ(g, one) for one in right))
        return [gold for gold, _ in zip(different, range(MOST_JOINED), strict=False)]

    def is_right(self, task: TaskRecord, output: str) -> bool:
        """Whether `output` is this task's gold, or an accepted answer, in other spelling."""
        said = self._said(output)
        core = _core(said)
        right = self._right(task)
        return bool(core) and any(core == _core(one) or _same_number(said, one) for one in right)

    @property
    def one_answer_counts(self) -> bool:
        """False for programs: one that defines more than was asked for is still right."""
        return not PROGRAMS & {kind for kind, _ in leaves(self.verifier)}

    @property
    def answer_is_whole(self) -> bool:
        """Whether every part reads all of the output as the answer."""
        parts = list(leaves(self.verifier))
        return all(kind == "goal_state" or s.get("extract") == "whole" for kind, s in parts)

    def _right(self, task: TaskRecord) -> Iterator[str]:
        gold, accepted = self.of(task), task.reference.get("answer")
        if gold is not None:
            yield self._said(gold)
        for one in accepted if isinstance(accepted, list | tuple) else [accepted]:
            if isinstance(one, str | int | float):
                yield str(one)

    def _said(self, output: str) -> str:
        """What the verifier's first `extract` setting finds in an output."""
        wheres = (settings.get("extract") for _, settings in leaves(self.verifier))
        where = next((one for one in wheres if isinstance(one, str)), "whole")
        known = where in text.PLACES or where.startswith("after:")
        return (text.extract(where, output) if known else None) or output


def differ(one: str, other: str) -> bool:
    """Clearly different answers."""
    a, b = number(one), number(other)
    if a is not None and b is not None:
        return abs(a - b) * 10 > max(abs(a), abs(b))
    return sorted(_core(one)) != sorted(_core(other))


def leaves(verifier: Verifier) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(kind, settings) of a verifier, or of each part of a combined one."""
    waiting: list[tuple[str, Mapping[str, Any]]] = [(verifier.kind, verifier.settings)]
    while waiting:
        kind, settings = waiting.pop(0)
        parts = settings.get("of")
        if not isinstance(parts, list):
            yield kind, settings
            continue
        entries = [part.get("verifier", part) for part in parts if isinstance(part, Mapping)]
        waiting += [(e.get("kind", ""), e.get("settings", {})) for e in entries]


def _core(said: str) -> str:
    return MARKS.sub("", said[:10_000].casefold())


def _same_number(one: str, other: str) -> bool:
    value = number(one)
    return value is not None and value == number(other)
