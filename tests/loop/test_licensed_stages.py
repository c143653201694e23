"""Batteries and licences in a cycle: what is tried, what stops, and what is judged again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from improvement.jobs.context import StageFailed
from improvement.jobs.stages import verify
from improvement.models import (
    Agent,
    Block,
    Dataset,
    JunkReport,
    Label,
    LabelItem,
    LicenceEvent,
    Run,
    Trajectory,
    Verdict,
    Verifier,
)
from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers.base import Workshop
from tests.factories import make_user
from tests.loop.cycle import Here, agent, base, cycle, go, skills

__all__ = ["agent", "base", "cycle", "skills"]
pytestmark = pytest.mark.django_db
HERE = "tests.loop.test_licensed_stages:"


@dataclass(frozen=True)
class Wayward:
    """The goal state judged by a rule of the test's own."""

    kind: str
    rule: Callable[[TaskRecord, TrajectoryRecord], str]
    deterministic: bool = True
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        answer = self.rule(task, trajectory)
        score = {"pass": 1.0, "fail": 0.0}.get(answer)
        return Judgement(answer, score, {"reason": f"by rule: {answer}"})  # type: ignore[arg-type]

    def gold(self, task: TaskRecord) -> str | None:
        return str(task.reference.get("answer", ""))


def right(task: TaskRecord, trajectory: TrajectoryRecord) -> str:
    return "pass" if trajectory.final_answer == task.reference["answer"] else "fail"


def generous(settings: Mapping[str, Any], workshop: Workshop) -> Wayward:
    return Wayward("generous", lambda task, trajectory: "pass")


def speechless(settings: Mapping[str, Any], workshop: Workshop) -> Wayward:
    return Wayward("speechless", lambda task, trajectory: "error")


def opinion(settings: Mapping[str, Any], workshop: Workshop) -> Wayward:
    return Wayward("opinion", right, deterministic=False)


@pytest.fixture(autouse=True)
def kinds(settings: Any) -> None:
    names = ("generous", "speechless", "opinion")
    settings.PAWL_VERIFIERS = {name: HERE + name for name in names}


def with_recipe(run: Run, **recipe: Any) -> Run:
    run.recipe = run.recipe | recipe
    run.save()
    return run


def test_junk_is_tried_once_on_each_version(skills: Any, cycle: Run) -> None:
    go(cycle, "verify")
    report = JunkReport.objects.get()
    assert report.passed
    assert len({row["kind"] for row in report.rows}) > 5
    verify.run(Here(cycle, "again"))
    assert JunkReport.objects.count() == 1


def test_a_verifier_that_lets_junk_pass_may_not_harvest(skills: Any, cycle: Run) -> None:
    with_recipe(cycle, harvest_verifier="generous")
    with pytest.raises(StageFailed, match=r"No licence to harvest .*The junk battery failed"):
        go(cycle, "curate")
    assert not Dataset.objects.exists()
    assert not LicenceEvent.objects.get(verifier__name="generous").granted


def test_a_verifier_that_lets_junk_pass_may_not_gate(skills: Any, cycle: Run) -> None:
    with_recipe(cycle, gate_verifier="generous")
    with pytest.raises(StageFailed, match="No licence to gate"):
        go(cycle, "gate")
    assert not Block.objects.exists()  # refused before a sealed block was spent


def test_a_verifier_that_can_not_work_is_named_and_tried_again_later(
    skills: Any, cycle: Run
) -> None:
    with_recipe(cycle, harvest_verifier="speechless")
    with pytest.raises(StageFailed, match=r"speechless 1 can't work here.*by rule: error"):
        go(cycle, "verify")
    assert not JunkReport.objects.filter(verifier__name="speechless").exists()


def test_an_opinion_harvests_only_after_people_have_labelled_it(
    skills: Any, cycle: Run, agent: Agent
) -> None:
    agent.recipe = agent.recipe | {"licence_labels": 5, "licence_precision": 0.6}
    agent.save()
    with_recipe(cycle, harvest_verifier="opinion")
    with pytest.raises(StageFailed, match="Label 5 more accepted attempts"):
        go(cycle, "curate")
    label_accepts(agent, 5)
    cycle.stages.get(name="curate").delete()  # resumed
    assert go(cycle, "curate")["own"] > 0


def label_accepts(agent: Agent, count: int) -> None:
    verifier, person = Verifier.objects.get(name="opinion"), make_user("reviewer")
    for attempt in Trajectory.objects.filter(agent=agent, answer="pass")[:count]:
        item = LabelItem.objects.create(
            agent=agent, verifier=verifier, trajectory=attempt, answer="pass", family="f"
        )
        Label.objects.create(item=item, labeller=person, answer="right")


def test_a_changed_verifier_judges_earlier_attempts_again(
    skills: Any, cycle: Run, agent: Agent
) -> None:
    go(cycle, "verify")
    Run.objects.filter(pk=cycle.pk).update(state="done")
    recipe = agent.recipe | {"harvest_verifier": "exact"}
    second = Run.objects.create(agent=agent, cycle=2, seed=8, recipe=recipe, state="running")
    go(second, "verify")
    earlier = Trajectory.objects.filter(run=cycle)
    judged = Verdict.objects.filter(trajectory__in=earlier, verifier__name="exact")
    assert judged.count() == earlier.count()
