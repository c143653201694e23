"""Which stages a kind of run has, in order, on which queue, and the function that does each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from improvement.jobs.context import StageContext, StageFailed
from improvement.models import Stage

StageFunction = Callable[[StageContext], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StagePlan:
    """`path` is the dotted path of a StageFunction. Its result is JSON; in the last stage
    "run_state" ("review" or "done") says how the run ends."""

    name: str
    queue: str
    path: str
    max_attempts: int = 5


def _improve(name: str, queue: str) -> StagePlan:
    return StagePlan(name, queue, f"improvement.jobs.stages.{name}.run")


IMPROVE = "improve"
STAGES = (
    _improve("collect", "rollout"),
    _improve("verify", "default"),
    _improve("curate", "default"),
    _improve("train", "train"),
    _improve("screen", "rollout"),
    _improve("freeze", "default"),
    _improve("gate", "rollout"),
)


def stages_of(kind: str) -> tuple[StagePlan, ...]:
    """The stages of a kind of run; ValueError lists the kinds that there are."""
    if kind == IMPROVE:
        return STAGES
    path = settings.PAWL_RUN_KINDS.get(kind)
    if path is None:
        known = ", ".join([IMPROVE, *sorted(settings.PAWL_RUN_KINDS)])
        raise ValueError(f"There is no kind of run {kind!r}. Known: {known}.")
    plan: tuple[StagePlan, ...] = import_string(path)
    return plan


def function_of(stage: Stage) -> StageFunction:
    """The function of a stage; StageFailed when this version of Pawl has no such stage."""
    for plan in stages_of(stage.run.kind):
        if plan.name == stage.name:
            function: StageFunction = import_string(plan.path)
            return function
    raise StageFailed(
        f"A run of kind {stage.run.kind!r} has no stage {stage.name!r} in this version of Pawl. "
        "Launch a new run."
    )
