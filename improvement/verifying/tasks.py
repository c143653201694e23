"""The tasks of a file, each with the verifier that judges it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from improvement.ingest.tasks.records import Line
from improvement.records import TaskRecord, canonical_json
from improvement.verifiers.base import SpecError, Verifier

Builder = Callable[[str | Mapping[str, Any]], Verifier]


@dataclass(slots=True)
class Bench:
    """Tasks by id. `spec`, where given, judges every task in place of the task's own verifier.
    `skipped` holds a text for each line of the file that is no task."""

    build: Builder
    spec: str | Mapping[str, Any] | None = None
    tasks: dict[str, TaskRecord] = field(default_factory=dict)
    by_line: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    _built: dict[str, Verifier | SpecError] = field(default_factory=dict)

    def load(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if line.draft is None:
                said = "; ".join(f"{p.field}: {p.message}" for p in line.problems)
                self.skipped.append(f"line {line.number}: {said}")
            elif line.draft.id in self.tasks:
                self.skipped.append(f"line {line.number}: id: {line.draft.id!r} is there already")
            else:
                self.tasks[line.draft.id] = line.draft.as_record()
                self.by_line[str(line.number)] = line.draft.id

    def find(self, name: str) -> TaskRecord | None:
        """The task of that id; else that of the line of that number, as files such as GSM8K's
        give their tasks no id."""
        return self.tasks.get(name) or self.tasks.get(self.by_line.get(name, ""))

    def verifier_of(self, task: TaskRecord) -> Verifier:
        """SpecError says what is wrong with its specification. Equal ones are built once."""
        spec = self.spec or task.verifier
        if not spec:
            raise SpecError(f"task {task.key} names no verifier; name one with --verifier")
        key = canonical_json(spec)
        if key not in self._built:
            self._built[key] = self._try(spec)
        found = self._built[key]
        if isinstance(found, SpecError):
            raise SpecError(str(found))
        return found

    def _try(self, spec: str | Mapping[str, Any]) -> Verifier | SpecError:
        try:
            return self.build(spec)
        except SpecError as error:
            return error
        except Exception as error:  # a maker of one's own may raise anything
            return SpecError(f"the verifier can't be made: {type(error).__name__}: {error}")
