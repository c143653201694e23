"""What a reader of task files gives: a draft of a task, or what is wrong with its line.

A draft is not a task yet: its split may be open (the import assigns it by near-duplicate cluster)
and its `id` may have been made from its prompt.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from improvement.records import Split, TaskRecord, digest_of

OpenSplit = Literal["", "train", "dev", "heldout"]

Check = Callable[[Mapping[str, Any]], str]
"""(verifier specification) → what is wrong with it, or ""."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One problem as a file brings it. `reference` is for the verifier alone; `verifier` is a
    specification, or empty (the suite's holds); an empty `split` is still to be assigned.
    `compared` replaces the prompt where near-duplicates are looked for (generated families share
    long instructions that say nothing about the problem). `fingerprint` is equal for equal prompts;
    it says nothing of the reference, so it may be shown."""

    id: str
    prompt: str
    reference: Mapping[str, Any]
    verifier: Mapping[str, Any] = field(default_factory=dict)
    family: str = "default"
    level: int = 1
    split: OpenSplit = ""
    compared: str = ""
    fingerprint: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint_of(self.prompt))

    def as_record(self, split: Split = "train") -> TaskRecord:
        """The record; `split` holds where the draft leaves it open."""
        return TaskRecord(
            key=self.id,
            family=self.family,
            level=self.level,
            split=self.split or split,
            prompt=self.prompt,
            reference=self.reference,
            fingerprint=self.fingerprint,
            verifier=self.verifier,
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line. `field` is its key, or "line" for all of it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line (or CSV record) of a file, counted from 1: a draft, or its problems. `ignored`
    names the fields that no reader knows."""

    number: int
    draft: Draft | None = None
    problems: tuple[Problem, ...] = ()
    ignored: tuple[str, ...] = ()


def fingerprint_of(prompt: str) -> str:
    """sha256 (hex) of the prompt, without what nobody sees: composition of accents, white space
    at the ends of the lines and of the whole."""
    lines = unicodedata.normalize("NFC", prompt).strip().splitlines()
    return digest_of(["prompt", *(line.rstrip() for line in lines)])
