"""A worker may die after a stage's writes and before its report: the stage is then done again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models

from improvement.jobs.context import StageFailed
from improvement.models import (
    Agent,
    AuditRow,
    Block,
    Candidate,
    Dataset,
    DatasetItem,
    Evaluation,
    EvaluationItem,
    Run,
    Signal,
    Task,
    Trajectory,
    Verdict,
    Verifier,
    Warning,
)
from tests.loop.cycle import STAGES, Here, agent, base, cycle, go, skills

pytestmark = pytest.mark.django_db
__all__ = ["agent", "base", "cycle", "skills"]  # fixtures
WRITTEN: tuple[type[models.Model], ...] = (
    AuditRow,
    Block,
    Candidate,
    Dataset,
    DatasetItem,
    Evaluation,
    EvaluationItem,
    Signal,
    Task,
    Trajectory,
    Verdict,
    Warning,
)


def rows() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in WRITTEN}


def test_every_stage_done_a_second_time_writes_and_says_the_same(
    skills: Any, cycle: Run, agent: Agent
) -> None:
    for name, work in STAGES.items():
        context = Here(cycle, name)
        first, written = work(context), rows()
        context.run = Run.objects.get(pk=cycle.pk)
        assert work(context) == first, name
        assert rows() == written, name
        context.stage.result, context.stage.state = first, "done"
        context.stage.save()
    assert Candidate.objects.get(run=cycle).version == 1


def test_what_another_verifier_let_pass_is_not_learned_from(
    skills: Any, cycle: Run, agent: Agent
) -> None:
    """An earlier run may have harvested with a laxer verifier."""
    go(cycle, "verify")
    passed = Trajectory.objects.filter(answer="pass")
    lax = Verifier.objects.create(name="lax", version="1", digest="0" * 64)
    foreign = Trajectory.objects.filter(answer="fail")[0]
    Trajectory.objects.filter(pk=foreign.pk).update(answer="pass")
    Verdict.objects.create(trajectory=foreign, verifier=lax, answer="pass", score=1.0)
    assert passed.filter(pk=foreign.pk).exists()
    go(cycle, "curate")
    assert DatasetItem.objects.get(trajectory=foreign).dropped_because == "not verified"


class ShopThatTells:
    """An environment whose error quotes the task, as many a KeyError does."""

    def __init__(self) -> None:
        from improvement.agent.environments.till import Till

        self._till = Till()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._till, name)

    def start(self, task: Any) -> Any:
        raise KeyError(task.prompt)


def test_an_error_at_sealed_tasks_names_the_class_and_quotes_nothing(
    skills: Any, cycle: Run, settings: Any
) -> None:
    go(cycle, "freeze")
    settings.PAWL_ENVIRONMENTS = {"till": "tests.loop.test_stages_again.ShopThatTells"}
    with pytest.raises(StageFailed, match=r"ShopThatTells.start raised KeyError") as failure:
        go(cycle)
    assert "customer wants" not in str(failure.value)
