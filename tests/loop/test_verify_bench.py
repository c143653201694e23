"""What stands behind `manage.py verify`: verdicts as a stream, whatever a verifier does."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers.base import SpecError, Workshop, passed
from improvement.verifiers.build import build
from improvement.verifying import Bench, attempts, verdicts
from tests.loop.test_verify_command import as_lines


class Odd:
    """A verifier of one's own that misbehaves."""

    kind, version, deterministic, needs_person = "odd", "1", True, False
    settings: dict[str, Any] = {}

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        if trajectory.final_answer == "raise":
            raise ZeroDivisionError("oh")
        return passed({"found": float("nan"), "what": object()}, "fine")

    def gold(self, task: TaskRecord) -> None:
        return None


def odd_bench() -> Bench:
    return Bench(lambda spec: Odd(), "odd", {"t": TaskRecord("t", "f", 1, "train", "?", {}, "x")})


def test_a_verifier_that_raises_is_an_error_and_odd_evidence_is_still_one_line_of_json(
    tmp_path: Path,
) -> None:
    outputs = tmp_path / "outputs.jsonl"
    given = ("raise", "x", "\ud800")
    outputs.write_bytes(as_lines([{"task": "t", "output": one} for one in given]))
    with outputs.open("rb") as stream:
        rows = [json.loads(one.as_json()) for one in verdicts(odd_bench(), attempts(stream))]
    assert [row["verdict"] for row in rows] == ["error", "pass", "fail"]
    assert "raised ZeroDivisionError: oh" in rows[0]["evidence"]["reason"]
    assert rows[1]["evidence"]["reason"] == "fine"


def test_a_line_longer_than_the_cap_is_skipped_and_named(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.jsonl"
    outputs.write_bytes(b"x" * 3_000_000 + b"\n" + as_lines([{"task": "t", "output": "x"}]))
    with outputs.open("rb") as stream:
        rows = list(verdicts(odd_bench(), attempts(stream, 1 << 20)))
    assert [row.judged.answer for row in rows] == ["error", "pass"]
    assert "line 1: the line is longer than 1 MB" in str(rows[0].judged.evidence["reason"])


def test_verdicts_are_given_while_the_file_is_still_read() -> None:
    read = 0

    def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield from attempts_of({"task": "t", "output": "x"})

    found = verdicts(odd_bench(), endless())
    for _ in range(100):
        next(found)
    found.close()
    assert read < 120


def attempts_of(line: object) -> Any:
    return attempts(io.BytesIO(as_lines([line])))


def test_a_kind_whose_maker_is_broken_is_an_error_of_its_tasks_alone() -> None:
    bench = Bench(lambda spec: build(spec, Workshop(), {"mine": "no.such.module:make"}), "mine")
    task = TaskRecord("t", "f", 1, "train", "?", {}, "x")
    with pytest.raises(SpecError, match="ModuleNotFoundError"):
        bench.verifier_of(task)
