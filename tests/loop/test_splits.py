"""A task is in one split for ever, also where an environment says now this and now that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from improvement.agent.environments.till import Till
from improvement.jobs.context import StageFailed
from improvement.jobs.tasks import keep
from improvement.models import Agent, Task
from improvement.records import TaskRecord
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    return factories.make_agent()


@pytest.fixture
def problem() -> TaskRecord:
    return replace(Till().generate(1, 1), split="train")


def test_a_task_kept_twice_is_one_row(agent: Agent, problem: TaskRecord) -> None:
    assert keep(agent, [problem]) == keep(agent, [problem])
    assert Task.objects.count() == 1


def test_a_held_out_problem_is_never_given_out_for_training(
    agent: Agent, problem: TaskRecord
) -> None:
    block = factories.make_block(factories.make_candidate(agent))
    keep(agent, [replace(problem, split="heldout")], block)
    with pytest.raises(StageFailed, match="in two splits"):
        keep(agent, [problem])


def test_a_problem_of_an_earlier_block_is_not_sealed_again(
    agent: Agent, problem: TaskRecord
) -> None:
    sealed, candidate = replace(problem, split="heldout"), factories.make_candidate(agent)
    keep(agent, [sealed], factories.make_block(candidate))
    with pytest.raises(StageFailed, match="an earlier block"):
        keep(agent, [sealed], factories.make_block(candidate))


def test_one_key_for_two_problems_is_refused(agent: Agent, problem: TaskRecord) -> None:
    keep(agent, [problem])
    with pytest.raises(StageFailed, match="one key"):
        keep(agent, [replace(problem, fingerprint="0" * 64)])
