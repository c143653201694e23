"""Shortcuts of the engine's tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from improvement.jobs import launch, leases
from improvement.jobs.working import Working
from improvement.models import Agent, Run, Stage
from tests import factories


def launched(kind: str = "fake", *, cycles: int = 1, **recipe: Any) -> Run:
    return launched_for(factories.make_agent(), kind, cycles=cycles, **recipe)


def launched_for(agent: Agent, kind: str, *, cycles: int = 1, **recipe: Any) -> Run:
    return launch.launch(agent, actor=None, kind=kind, cycles=cycles, recipe=recipe)


def stage_of(run: Run, name: str = "first") -> Stage:
    return run.stages.get(name=name)


def claimed(run: Run, name: str = "first", worker: str = "w") -> Working:
    stage = leases.claim(stage_of(run, name).pk, worker)
    assert stage is not None
    return Working(stage)


def let_lease_end(stage: Stage) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Stage.objects.filter(pk=stage.pk).update(lease_until=past)


def states(run: Run) -> list[str]:
    return list(run.stages.order_by("position").values_list("state", flat=True))
