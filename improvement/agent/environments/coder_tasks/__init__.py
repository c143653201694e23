"""The functions that the coder is asked to write: ours, with their solutions and their cases.

A file holds the functions of one level and topic. A function has variants: `$name` in its
signature, prompt and solution stands for a value of the variant, and `expected` has what each of
`inputs` must come to. The first VISIBLE cases are shown to the agent; the others are hidden.

`split` was set once, by the order of the sha256 of the names within a level (the first 40 % held
out, the next 10 % dev, the rest train), and never changes: all variants of a function are in one
split. Functions of one topic are akin, so held-out ones are new functions of known kinds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, get_args

from improvement.records import Split, TaskRecord, digest_of

VISIBLE = 2


@dataclass(frozen=True, slots=True)
class Function:
    """One function with its variants; see the module's words. `name` is unique."""

    name: str
    level: int
    topic: str
    split: Split
    signature: str
    prompt: str
    solution: str
    inputs: tuple[tuple[Any, ...], ...]
    variants: tuple[Mapping[str, Any], ...]

    def task(self, variant: int, family: str) -> TaskRecord:
        """The task of one variant; the reference is for the environment and the verifier alone."""
        values, expected = self.variants[variant]["values"], self.variants[variant]["expected"]
        pairs = zip(self.inputs, expected, strict=True)
        cases = [{"args": list(args), "expected": value} for args, value in pairs]
        prompt = self._prompt(values, cases)
        fingerprint = digest_of([prompt, cases])
        return TaskRecord(
            key=f"coder-{self.level}-{fingerprint[:16]}",
            family=family,
            level=self.level,
            split=self.split,
            prompt=prompt,
            reference={
                "entry_point": self.name,
                "cases": cases,
                "visible": VISIBLE,
                "solution": Template(self.solution).substitute(values),
                "topic": self.topic,
            },
            fingerprint=fingerprint,
            verifier={"kind": "unit_tests"},
            cluster=self.name,
        )

    def _prompt(self, values: Mapping[str, Any], cases: list[dict[str, Any]]) -> str:
        head = Template(f"Write the Python function {self.signature}. {self.prompt}")
        shown = [f"{call(self.name, c['args'])} == {c['expected']!r}" for c in cases[:VISIBLE]]
        return "\n".join([head.substitute(values), *shown])


def call(name: str, args: Any) -> str:
    """A call as a person writes it: "add(2, 3)"."""
    return f"{name}({', '.join(map(repr, args))})"


@cache
def functions() -> dict[int, tuple[Function, ...]]:
    """All functions by level, sorted by name. ValueError names a file that makes no sense."""
    found: dict[int, list[Function]] = {}
    for path in sorted(Path(__file__).parent.glob("level_*.json")):
        _, level, topic = path.stem.split("_")
        for row in json.loads(path.read_text()):
            function = _function(int(level), topic, row)
            found.setdefault(function.level, []).append(function)
    names = [f.name for row in found.values() for f in row]
    if len(set(names)) < len(names):
        raise ValueError("two functions of the coder have the same name")
    return {level: tuple(sorted(found[level], key=lambda f: f.name)) for level in sorted(found)}


def named(name: str) -> Function:
    """The function of that name; KeyError where there is none."""
    by_name = {f.name: f for row in functions().values() for f in row}
    return by_name[name]


def _function(level: int, topic: str, row: Mapping[str, Any]) -> Function:
    name = row["signature"].partition("(")[0]
    if row["split"] not in get_args(Split):
        raise ValueError(f"function {name}: {row['split']!r} is no split")
    if any(len(v["expected"]) != len(row["inputs"]) for v in row["variants"]):
        raise ValueError(f"function {name}: a variant needs one expected value an input")
    return Function(
        name=name,
        level=level,
        topic=topic,
        split=row["split"],
        signature=row["signature"],
        prompt=row["prompt"],
        solution="\n".join(row["solution"]) + "\n",
        inputs=tuple(tuple(args) for args in row["inputs"]),
        variants=tuple(row["variants"]),
    )
