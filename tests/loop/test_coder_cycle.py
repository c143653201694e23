"""The coder through the loop: made on first use, and one cycle with real sandbox and training."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from improvement.agent.environments.coder_tasks import functions
from improvement.jobs import doorbell, rollouts, shipped
from improvement.jobs.recipe import Recipe
from improvement.models import Agent, AuditRow, Block, Candidate, Dataset, Evaluation, Run, Verdict
from improvement.records import Conversation
from tests import factories
from tests.loop.cycle import base, go
from tests.scripted import ScriptedPolicy

pytestmark = pytest.mark.django_db
__all__ = ["base"]
SMALL = shipped.CODER | {
    "collect_tasks": 10,
    "collect_samples": 2,
    "train": {"batch": 4, "min_steps": 2, "max_steps": 2},
    "dev_tasks": 4,
    "probe_tasks": 8,
    "probe_samples": 2,
}
SOLUTIONS = {
    task.prompt: task.reference["solution"]
    for level in functions().values()
    for f in level
    for task in (f.task(i, "") for i in range(len(f.variants)))
}


class ScriptedCoder(ScriptedPolicy):
    """Writes the solution with probability `skill`, else a function that is not right."""

    def _command(self, c: Conversation) -> str:
        at = max(i for i, m in enumerate(c.messages) if m.content in SOLUTIONS)
        solution = SOLUTIONS[c.messages[at].content]
        if random.Random(f"{c.key}:{c.seed}").random() > self.skill:
            solution = f"{solution.partition('(')[0]}(*args):\n    return {len(c.messages)}\n"
        return f"```python\n{solution}```\n"


def cycle_of(base: Path, monkeypatch: pytest.MonkeyPatch, skills: dict[int, float]) -> Run:
    agent = shipped.create_agent(
        "coder", title="The coder", environment="coder", base_model=str(base), recipe=SMALL
    )
    policies: dict[int, ScriptedCoder] = {}

    def policy_of(candidate: Candidate) -> ScriptedCoder:
        return policies.setdefault(candidate.pk, ScriptedCoder(skills[candidate.generation]))

    monkeypatch.setattr(rollouts, "policy_of", policy_of)
    return Run.objects.create(agent=agent, cycle=1, seed=7, recipe=agent.recipe, state="running")


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> None:
    settings.PAWL_HOME, settings.PAWL_STORE = tmp_path, tmp_path / "artefacts"


def test_a_coder_that_learned_passes_the_gate_on_functions_it_never_saw(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cycle_of(base, monkeypatch, {0: 0.3, 1: 1.0})
    result = go(run)
    assert (result["answer"], result["run_state"]) == ("pass", "review"), result
    assert set(Verdict.objects.values_list("verifier__name", flat=True)) == {"unit_tests"}
    block = Block.objects.get()
    clusters = list(block.tasks.values_list("cluster", flat=True))
    assert len(set(clusters)) == len(clusters) == 24
    heldout = {f.name for level in functions().values() for f in level if f.split == "heldout"}
    assert set(clusters) <= heldout
    trained = set(Dataset.objects.get().items.values_list("trajectory__task__cluster", flat=True))
    assert not trained & heldout
    gate = Evaluation.objects.get(kind="gate")
    assert gate.n == 24
    assert gate.candidate_score == 1.0


def test_a_coder_that_stays_weak_is_not_let_through(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cycle_of(base, monkeypatch, {0: 0.4, 1: 0.45})
    result = go(run)
    assert result["answer"] in ("insufficient", "fail")
    assert result["run_state"] == "done"


def improve(name: str, **options: Any) -> None:
    call_command("improve", name, no_follow=True, **options)


@pytest.fixture
def silent_bell(monkeypatch: pytest.MonkeyPatch, base: Path, settings: Any) -> None:
    settings.PAWL_BASE_MODEL = str(base)
    monkeypatch.setattr(doorbell, "push", lambda _stage: True)


@pytest.mark.usefixtures("silent_bell", "queues")
def test_improve_makes_the_coder_on_its_first_use_and_finds_it_again() -> None:
    person = factories.make_user("engineer", "eve")
    improve("coder", by="eve", recipe={"width": 8})
    agent = Agent.objects.get(name="coder")
    assert (agent.title, agent.environment) == ("The coder", "coder")
    assert dict(agent.recipe) == shipped.CODER
    assert AuditRow.objects.filter(verb="create agent", actor=person).count() == 1
    run = Run.objects.get()
    assert run.recipe["harvest_verifier"] == run.recipe["gate_verifier"] == "task"
    assert run.recipe["width"] == 8
    zero = agent.champion
    assert zero is not None
    assert zero.as_bundle().decoding.max_new_tokens == 160
    with pytest.raises(CommandError, match="one run at a time"):
        improve("coder")
    assert Agent.objects.count() == 1


@pytest.mark.usefixtures("silent_bell", "queues")
def test_improve_makes_no_agent_that_is_not_shipped_and_none_for_a_stranger() -> None:
    with pytest.raises(CommandError, match="no agent named 'cdoer'"):
        improve("cdoer")
    with pytest.raises(CommandError, match="no user 'nobody'"):
        improve("coder", by="nobody")
    assert not Agent.objects.exists()


@pytest.mark.usefixtures("silent_bell")
def test_create_agent_gives_a_coder_of_ones_own_the_coders_recipe() -> None:
    call_command("create_agent", "mine", environment="coder", recipe='{"gate_tasks": 12}')
    assert dict(Agent.objects.get(name="mine").recipe) == shipped.CODER | {"gate_tasks": 12}


def test_the_shipped_recipes_are_recipes() -> None:
    for agent in shipped.SHIPPED.values():
        Recipe.of(agent.recipe)
