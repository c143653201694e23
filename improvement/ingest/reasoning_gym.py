"""Tasks from reasoning-gym families (https://github.com/open-thought/reasoning-gym), as drafts.

Deterministic by seed. Each family asks in long instructions that all of its tasks share, so
near-duplicates are looked for in what is left of a prompt without them (`own_words`).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from improvement.ingest.tasks import Draft, Line, Problem
from improvement.ingest.tasks.values import unstorable

ROOT = Path(__file__).resolve().parents[2]
CHILD = "improvement.ingest.reasoning_gym_child"
REMEDY = (
    "reasoning-gym is not installed. Remedy: pip install --no-deps, with all that the group "
    "`tasks` in pyproject.toml names (see docs/tasks.md)."
)
PROBE = 64  # tasks from which the words of a family's template are read
RUN = 3  # words


class GymMissing(RuntimeError):
    """reasoning-gym, or what it needs, is not installed; the message says what to install."""


@cache
def families() -> dict[str, int]:
    """Family → how many levels its curriculum has; asked once a process."""
    return {row["family"]: row["levels"] for row in _ask({"list": True})}


def drafts(wanted: Sequence[tuple[str, int, int]], seed: int) -> Iterator[Line]:
    """`wanted`: (family, level, count). A line a task, or a problem for a level that gave none."""
    rows = _ask({"wanted": list(wanted), "seed": seed})
    number = 0
    for _, group in groupby(rows, key=lambda row: (row["family"], row["level"])):
        for row, own in _with_own_words(group):
            number += 1
            yield _line(number, row, own, seed)


def own_words(texts: Sequence[str]) -> list[str]:
    """Each text without the runs of three words that more than half of the texts have."""
    words = [text.split() for text in texts]
    counts = Counter(run for each in words for run in set(_runs(each)))
    common = {run for run, n in counts.items() if n * 2 > len(texts) > 1}
    return [_without(each, common) or text for each, text in zip(words, texts, strict=True)]


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1))


def _without(words: Sequence[str], common: set[tuple[str, ...]]) -> str:
    shared = {i + k for i, run in enumerate(_runs(words)) if run in common for k in range(RUN)}
    return " ".join(word for i, word in enumerate(words) if i not in shared)


def _with_own_words(group: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Rows PROBE at a time, each with the words that are its own."""
    rows = iter(group)
    while part := list(islice(rows, PROBE)):
        yield from zip(part, own_words([row.get("question", "") for row in part]), strict=True)


def _line(number: int, row: Mapping[str, Any], own: str, seed: int) -> Line:
    family, level = row["family"], row["level"]
    if "problem" in row:
        return Line(number, problems=(Problem(family, f"level {level}: {row['problem']}"),))
    reference = {key: row[key] for key in ("family", "level", "answer", "metadata")}
    if problem := unstorable([row["question"], reference]):
        return Line(number, problems=(Problem(family, f"a task of level {level} {problem}"),))
    return Line(
        number,
        Draft(
            id=f"{family}-{level}-{seed}-{row['index']}",
            prompt=row["question"],
            reference=reference,
            verifier={"kind": "reasoning_gym"},
            family=family,
            level=level,
            compared=own,
        ),
    )


def _ask(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if importlib.util.find_spec("reasoning_gym") is None:
        raise GymMissing(REMEDY)
    # a fixed hash seed: some families go through sets while they draw
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as said:  # no pipe: what nobody reads must not stop the child
        child = subprocess.Popen(
            [sys.executable, "-m", CHILD],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        try:
            yield from _rows(child, json.dumps(request).encode())
            if child.wait():
                said.seek(max(said.seek(0, os.SEEK_END) - 4000, 0))
                raise GymMissing(f"reasoning-gym does not work here: {_last(said.read())}")
        finally:
            child.kill()
            child.wait()


def _rows(child: subprocess.Popen[bytes], request: bytes) -> Iterator[dict[str, Any]]:
    assert child.stdin
    assert child.stdout
    with child.stdin as stdin, child.stdout as stdout:
        stdin.write(request)
        stdin.close()
        for line in stdout:
            yield json.loads(line)


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended without a word"
