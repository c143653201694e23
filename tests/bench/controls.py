"""Harvest verifiers for control arms. They decide only what an arm may learn from, never a gate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers.base import Workshop

SHARE = 0.15  # the share that a coin accepts: near the beginner's verified share


@dataclass(frozen=True)
class Control:
    """A verifier that is wrong on purpose."""

    kind: str
    accepts: Callable[[TaskRecord, TrajectoryRecord], bool]
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)
    deterministic: bool = True
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        accepted = self.accepts(task, trajectory)
        evidence = {"reason": f"control arm {self.kind}", "step": None}
        return Judgement("pass" if accepted else "fail", float(accepted), evidence)

    def gold(self, task: TaskRecord) -> str | None:
        return None


def _coin(task: TaskRecord, trajectory: TrajectoryRecord) -> bool:
    text = f"{task.key}/{trajectory.sample}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") / 2**32 < SHARE


def accept_all(settings: Mapping[str, Any], workshop: Workshop) -> Control:
    return Control("accept_all", lambda task, trajectory: True)


def coin(settings: Mapping[str, Any], workshop: Workshop) -> Control:
    return Control("coin", _coin)


def license_by_hand(agent: Any) -> None:
    """A control arm's verifier can't pass a junk battery, which is the point of the arm."""
    from improvement.jobs.licensing import verifiers_for
    from improvement.jobs.recipe import Recipe
    from improvement.jobs.tasks import draw_tasks
    from improvement.jobs.tools import environment_of
    from improvement.models import JunkReport

    draw_tasks(agent, environment_of(agent), level=1, split="train", count=1, seed="control")
    for _, row, _ in verifiers_for(agent, Recipe.of(agent.recipe).harvest_verifier).values():
        JunkReport.objects.create(agent=agent, verifier=row, passed=True, rows=[])
