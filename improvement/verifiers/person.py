"""The person: no machine decides. The answer is always an error that asks for one.

A person's label then stands for the verdict (see docs/verifiers.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers.base import Verifier, Workshop, broken, deciding_step, shown
from improvement.verifiers.settings import only

REASON = "a person must decide"


@dataclass(frozen=True, slots=True)
class Person:
    """Leaves every attempt to a person."""

    kind: str = "person"
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)
    deterministic: bool = True
    needs_person: bool = True

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:  # noqa: ARG002
        evidence = {
            "expected": None,
            "found": shown(trajectory.final_answer),
            "step": deciding_step(trajectory),
            "needs_person": True,
        }
        return broken(evidence, REASON)

    def gold(self, task: TaskRecord) -> str | None:  # noqa: ARG002
        return None


def make(settings: Mapping[str, Any], workshop: Workshop) -> Verifier:  # noqa: ARG001
    only("person", settings, ())
    return Person()
