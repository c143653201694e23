"""An agent over an imported suite: its tasks, each with its own verifier, through the loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from improvement.jobs import rollouts
from improvement.jobs.agents import create_agent
from improvement.jobs.context import StageFailed
from improvement.jobs.tasks import draw_tasks
from improvement.jobs.tools import environment_of
from improvement.models import (
    Agent,
    Block,
    Candidate,
    Evaluation,
    JunkReport,
    Run,
    SealedAnswer,
    Suite,
    Task,
    Verdict,
)
from improvement.records import digest_of
from tests.loop.cycle import RECIPE, base, go
from tests.scripted import ScriptedSums

__all__ = ["base"]
pytestmark = pytest.mark.django_db
EXACT = {"kind": "exact", "extract": "last_line"}
SPLITS = {"train": 30, "dev": 12, "heldout": 70}
SMALL = RECIPE | {"gate_tasks": 40, "gate_min_items": 30, "dev_tasks": 6, "probe_tasks": 8}


def fill(suite: Suite, **counts: int) -> None:
    """Sums, `counts` a split; two held-out tasks share each cluster."""
    number = suite.tasks.count()
    for split, count in counts.items():
        for i in range(count):
            number += 1
            sealed = split == "heldout"
            answer = {"answer": str(number + 7)}
            task = Task.objects.create(
                suite=suite,
                key=f"sum-{number}",
                family="sums",
                split=split,
                prompt=f"What is {number} + 7?",
                reference={} if sealed else answer,
                fingerprint=digest_of([suite.name, number]),
                verifier=EXACT,
                cluster=f"pair-{i // 2}" if sealed else "",
            )
            if sealed:
                SealedAnswer.objects.create(task=task, reference=answer)


@pytest.fixture
def suite() -> Suite:
    suite = Suite.objects.create(name="sums")
    fill(suite, **SPLITS)
    return suite


@pytest.fixture
def agent(suite: Suite, base: Path, settings: Any, tmp_path: Path) -> Agent:
    settings.PAWL_HOME, settings.PAWL_STORE = tmp_path, tmp_path / "artefacts"
    return create_agent("summer", title="Summer", suite=suite, base_model=str(base), recipe=SMALL)


@pytest.fixture(autouse=True)
def skills(monkeypatch: pytest.MonkeyPatch) -> None:
    skill = {0: 0.4, 1: 0.95}

    def policy_of(candidate: Candidate) -> ScriptedSums:
        return ScriptedSums(skill[candidate.generation])

    monkeypatch.setattr(rollouts, "policy_of", policy_of)


def cycle_of(agent: Agent, number: int = 1) -> Run:
    return Run.objects.create(
        agent=agent, cycle=number, seed=number, recipe=agent.recipe, state="running"
    )


def test_it_learns_through_the_whole_loop_with_each_tasks_own_verifier(agent: Agent) -> None:
    go(cycle_of(agent))
    gate = Evaluation.objects.get(kind="gate")
    assert gate.candidate_score > gate.champion_score
    assert set(Verdict.objects.values_list("verifier__name", flat=True)) == {"exact"}
    assert JunkReport.objects.get().passed


def test_a_block_is_drawn_without_replacement_and_one_of_a_cluster(agent: Agent) -> None:
    go(cycle_of(agent))
    block = Block.objects.get()
    clusters = list(block.tasks.values_list("cluster", flat=True))
    assert len(clusters) == len(set(clusters)) == block.size == 35
    assert block.burnt_at is not None


def test_a_spent_suite_refuses_a_gate_and_says_what_is_left(agent: Agent, suite: Suite) -> None:
    go(cycle_of(agent))
    Run.objects.update(state="done")
    suite.tasks.filter(split="heldout", block=None).update(cluster="all of one kind")
    with pytest.raises(StageFailed, match=r"Suite sums has 1 unlike held-out tasks left"):
        go(cycle_of(agent, 2))


def test_more_held_out_tasks_make_the_next_gate_possible(agent: Agent, suite: Suite) -> None:
    go(cycle_of(agent))
    Run.objects.update(state="done")
    fill(suite, heldout=70)
    go(cycle_of(agent, 2))
    first, second = Block.objects.order_by("sealed_at")
    assert not set(first.tasks.all()) & set(second.tasks.all())


def test_two_agents_over_one_suite_never_share_a_held_out_task(
    agent: Agent, suite: Suite, base: Path
) -> None:
    go(cycle_of(agent))
    fill(suite, heldout=70)
    other = create_agent("other", title="Other", suite=suite, base_model=str(base), recipe=SMALL)
    go(cycle_of(other))
    first, second = Block.objects.order_by("sealed_at")
    assert first.agent != second.agent
    assert not set(first.tasks.all()) & set(second.tasks.all())


def test_tasks_are_the_same_for_the_same_seed_and_never_held_out(agent: Agent) -> None:
    def draw(seed: str) -> list[Task]:
        environment = environment_of(agent)
        return draw_tasks(agent, environment, level=1, split="train", count=9, seed=seed)

    assert draw("a") == draw("a")
    assert draw("a") != draw("b")
    assert {task.split for task in draw("a")} == {"train"}


def test_a_suite_without_tasks_is_refused_with_the_remedy(agent: Agent) -> None:
    with pytest.raises(StageFailed, match="import_tasks sums"):
        draw_tasks(agent, environment_of(agent), level=9, split="train", count=1, seed="s")


def test_too_few_dev_tasks_for_the_signals_are_named_before_anything_is_measured(
    agent: Agent,
) -> None:
    run = cycle_of(agent)
    run.recipe = run.recipe | {"probe_tasks": 5}
    with pytest.raises(StageFailed, match="need at least 8 dev tasks, and agent summer has 5"):
        go(run, "screen")
