"""One cycle in this process: the stage functions, a context without a fence, a small recipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from improvement.jobs import rollouts
from improvement.jobs.agents import create_agent
from improvement.jobs.stages import collect, curate, freeze, gate, screen, train, verify
from improvement.models import Agent, Candidate, Run, Stage
from improvement.records import Progress
from tests.scripted import ScriptedPolicy
from tests.tiny_model import tiny_model

STAGES = {
    m.__name__.rsplit(".", 1)[1]: m.run
    for m in (collect, verify, curate, train, screen, freeze, gate)
}
RECIPE: dict[str, Any] = {
    "collect_tasks": 12,
    "collect_samples": 3,
    "save_every": 8,
    "train": {"batch": 4, "min_steps": 3, "max_steps": 3},
    "dev_tasks": 10,
    "probe_tasks": 8,
    "gate_tasks": 60,
    "gate_min_items": 40,
}


class Here:
    """The stage engine's context, in this process and without a fence."""

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.seen = run, list[Progress]()
        self.stage = Stage.objects.create(
            run=run, name=name, position=run.stages.count(), queue="default"
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        with transaction.atomic():
            yield

    def progress(self, progress: Progress) -> None:
        self.seen.append(progress)

    def check(self) -> None:
        pass


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def skills(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """Skill by generation; generation 0 is a beginner, what it trains is able."""
    skills = {0: 0.4, 1: 0.95}
    policies: dict[int, ScriptedPolicy] = {}

    def policy_of(candidate: Candidate) -> ScriptedPolicy:
        skill = skills[candidate.generation]
        return policies.setdefault(candidate.pk, ScriptedPolicy(skill))

    monkeypatch.setattr(rollouts, "policy_of", policy_of)
    return skills


@pytest.fixture
def agent(base: Path, settings: Any, tmp_path: Path) -> Agent:
    settings.PAWL_HOME, settings.PAWL_STORE = tmp_path, tmp_path / "artefacts"
    return create_agent(
        "till", title="Till", environment="till", base_model=str(base), recipe=RECIPE
    )


@pytest.fixture
def cycle(agent: Agent) -> Run:
    return Run.objects.create(agent=agent, cycle=1, seed=7, recipe=agent.recipe, state="running")


def go(cycle: Run, until: str = "gate") -> dict[str, Any]:
    """Run the stages in order up to `until`; the last one's result."""
    result: dict[str, Any] = {}
    for name, work in STAGES.items():
        stage = cycle.stages.filter(name=name, state="done").first()
        if stage is None:
            context = Here(cycle, name)
            result = work(context)
            context.stage.result, context.stage.state = result, "done"
            context.stage.save()
        if name == until:
            break
    return result
