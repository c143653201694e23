"""Short ways to a judgement, for tests of verifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from improvement.records import Judgement, TaskRecord
from improvement.verifiers.base import Verifier, trajectory_of
from improvement.verifiers.build import build


def task_with(
    reference: Mapping[str, Any], prompt: str = "What is it?", key: str = "t"
) -> TaskRecord:
    return TaskRecord(key, "plain", 1, "train", prompt, reference, f"print of {key}")


def judged(
    spec: str | Mapping[str, Any] | Verifier,
    reference: Mapping[str, Any],
    output: str,
    prompt: str = "What is it?",
) -> Judgement:
    verifier = build(spec) if isinstance(spec, str | Mapping) else spec
    task = task_with(reference, prompt)
    found = verifier.judge(task, trajectory_of(task, output))
    assert {"reason", "expected", "found", "step"} <= set(found.evidence)
    assert (found.score is None) == (found.answer == "error")
    return found


def answer(
    spec: str | Mapping[str, Any] | Verifier, expected: object, output: str, prompt: str = "?"
) -> str:
    return judged(spec, {"answer": expected}, output, prompt).answer
