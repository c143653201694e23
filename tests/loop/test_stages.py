"""One cycle, stage by stage: real database, real training, a scripted policy."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from improvement.agent.environments.till import Till
from improvement.jobs import rollouts, tools
from improvement.jobs.context import StageFailed
from improvement.jobs.recipe import Recipe
from improvement.jobs.stages import collect, gate, verify
from improvement.jobs.tasks import families_of
from improvement.models import (
    Agent,
    Block,
    Candidate,
    Evaluation,
    Hold,
    Run,
    SealedAnswer,
    Signal,
    Task,
    Trajectory,
    Verdict,
)
from improvement.models.sealed import evaluation_role
from tests.loop.cycle import RECIPE, Here, agent, base, cycle, go, skills

pytestmark = pytest.mark.django_db
__all__ = ["agent", "base", "cycle", "skills"]  # fixtures


def test_a_cycle_brings_a_better_candidate_to_a_person(
    skills: Any, cycle: Run, agent: Agent
) -> None:
    go(cycle, "screen")
    assert not Block.objects.exists()
    result = go(cycle)
    assert result["answer"] == "pass", result
    assert result["run_state"] == "review"
    candidate = Candidate.objects.get(run=cycle)
    assert candidate.state == "review"
    the_gate_is_whole(cycle)
    no_problem_is_in_two_splits()
    both_generations_have_signals()
    the_next_level_opens(agent, candidate)


def the_gate_is_whole(cycle: Run) -> None:
    found = Evaluation.objects.get(run=cycle, kind="gate")
    assert found.n == 60
    assert found.wins > found.losses
    assert found.items.count() == 60
    block = found.block
    assert block is not None
    assert block.burnt_at is not None
    assert block.candidate.frozen_at is not None
    assert block.candidate.frozen_at < block.sealed_at


def no_problem_is_in_two_splits() -> None:
    prints = list(Task.objects.values_list("fingerprint", flat=True))
    assert len(prints) == len(set(prints))
    assert set(Task.objects.values_list("split", flat=True)) == {"train", "dev", "heldout"}


def both_generations_have_signals() -> None:
    assert {s.candidate.number for s in Signal.objects.select_related("candidate")} == {0, 1}
    assert {"pass@1", "pass@8"} <= set(Signal.objects.values_list("name", flat=True))


def the_next_level_opens(agent: Agent, candidate: Candidate) -> None:
    recipe, families = Recipe.of(agent.recipe), families_of(agent, Till())
    zero = agent.generation_zero
    assert zero is not None
    assert collect.open_levels(agent, zero, families, recipe) == [1]
    assert collect.open_levels(agent, candidate, families, recipe) == [1, 2]


def test_a_candidate_that_is_no_better_does_not_pass(skills: Any, cycle: Run) -> None:
    skills[1] = 0.4
    result = go(cycle)
    assert result["answer"] != "pass"
    assert result["run_state"] == "done"
    assert Candidate.objects.get(run=cycle).state == "not_passed"


def test_every_attempt_is_saved_whole(skills: Any, cycle: Run) -> None:
    go(cycle, "verify")
    attempts = Trajectory.objects.filter(run=cycle, purpose="collect")
    assert attempts.count() == 36
    one = attempts.filter(answer="pass").first()
    assert one is not None
    assert [s.kind for s in one.steps.all()][-2:] == ["tool_call", "tool_result"]
    ids = len(bytes(one.tokens.token_ids)) // 4
    assert ids == one.sampled_tokens + one.read_tokens
    assert len(bytes(one.tokens.logprobs)) // 4 == one.sampled_tokens
    assert one.sampling["temperature"] == 0.9


def test_a_collection_that_was_cut_off_is_completed_not_repeated(
    skills: Any, cycle: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = rollouts.save
    batches = []

    def save_then_die(*args: Any) -> None:
        if batches:
            raise KeyboardInterrupt
        saved(*args)
        batches.append(args)

    monkeypatch.setattr(rollouts, "save", save_then_die)
    with pytest.raises(KeyboardInterrupt):
        collect.run(Here(cycle, "collect"))
    before = set(Trajectory.objects.values_list("pk", flat=True))
    assert 0 < len(before) < 36
    monkeypatch.setattr(rollouts, "save", saved)
    cycle.stages.all().delete()
    go(cycle, "collect")
    after = set(Trajectory.objects.values_list("pk", flat=True))
    assert before < after
    assert len(after) == 36


def test_verifying_twice_gives_one_verdict_an_attempt(skills: Any, cycle: Run) -> None:
    go(cycle, "verify")
    verify.run(Here(Run.objects.get(pk=cycle.pk), "again"))
    assert Verdict.objects.count() == 36


def test_only_verified_attempts_are_learned_from(skills: Any, cycle: Run) -> None:
    go(cycle, "curate")
    items = cycle.dataset.items
    kept = items.filter(dropped_because="", source="own")
    assert kept.exists()
    assert not kept.exclude(trajectory__answer="pass").exists()
    dropped = items.filter(dropped_because="not verified")
    assert dropped.count() == Trajectory.objects.filter(answer="fail").count()


def test_nothing_verified_and_no_demonstrations_stops_with_the_reason(
    skills: Any, cycle: Run
) -> None:
    skills[0] = 0.0
    with pytest.raises(StageFailed, match="nothing to learn from"):
        go(cycle, "curate")


def test_a_training_item_that_is_held_out_stops_the_cycle(skills: Any, cycle: Run) -> None:
    go(cycle, "verify")
    stolen = Trajectory.objects.filter(answer="pass")[0].task
    with connection.cursor() as cursor:
        moved = "UPDATE improvement_task SET split='heldout', reference='{}' WHERE id=%s"
        cursor.execute(moved, [stolen.pk])
    with pytest.raises(StageFailed, match="held-out tasks too"):
        go(cycle, "curate")


def test_changed_training_data_is_refused(skills: Any, cycle: Run) -> None:
    go(cycle, "curate")
    item = cycle.dataset.items.filter(dropped_because="").first()
    tokens = item.trajectory.tokens
    tokens.token_ids = b"\x05\0\0\0" + bytes(tokens.token_ids)[4:]
    tokens.save()
    with pytest.raises(StageFailed, match="not what was frozen"):
        go(cycle, "train")


def test_the_candidate_drops_the_worked_examples(skills: Any, cycle: Run) -> None:
    go(cycle, "train")
    candidate = Candidate.objects.get(run=cycle)
    assert candidate.parent is not None
    assert candidate.parent.as_bundle().worked_examples
    assert not candidate.as_bundle().worked_examples
    assert candidate.as_bundle().adapter == candidate.adapter_digest
    assert tools.store().verify(candidate.adapter_digest).exists()


def test_a_block_tampered_with_is_refused(skills: Any, cycle: Run) -> None:
    go(cycle, "freeze")
    candidate = Candidate.objects.get(run=cycle)
    context = Here(cycle, "sealing")
    block = gate._seal(context, candidate, Recipe.of(cycle.recipe))
    with evaluation_role():
        sealed = SealedAnswer.objects.filter(task__block=block).first()
        assert sealed is not None
        sealed.reference = sealed.reference | {"answer": "0"}
        sealed.save()
    with pytest.raises(StageFailed, match="not what was sealed"):
        gate.run(context)


def test_an_adapter_with_a_changed_byte_is_not_frozen(skills: Any, cycle: Run) -> None:
    go(cycle, "screen")
    candidate = Candidate.objects.get(run=cycle)
    weights = tools.store().path(candidate.adapter_digest) / "adapter_model.safetensors"
    weights.chmod(0o600)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(StageFailed, match="can't be frozen"):
        go(cycle, "freeze")


def test_a_red_warning_holds_the_loop(skills: Any, cycle: Run) -> None:
    skills[0], skills[1] = 0.9, 0.1
    go(cycle, "screen")
    hold = Hold.objects.get(agent=cycle.agent)
    assert hold.released_at is None
    assert hold.warning is not None
    assert hold.warning.level == "red"


class BrokenShop:
    """An environment that raises when an attempt starts."""

    def __init__(self) -> None:
        self._till = Till()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._till, name)

    def start(self, task: Any) -> Any:
        raise RuntimeError("the shop is closed")


def test_an_environment_that_raises_is_named(skills: Any, cycle: Run, settings: Any) -> None:
    settings.PAWL_ENVIRONMENTS = {"till": "tests.loop.test_stages.BrokenShop"}
    with pytest.raises(StageFailed, match=r"BrokenShop.start raised RuntimeError: the shop is"):
        go(cycle, "collect")


def test_an_environment_that_does_not_import_is_named(
    skills: Any, cycle: Run, settings: Any
) -> None:
    settings.PAWL_ENVIRONMENTS = {"till": "nowhere.Shop"}
    with pytest.raises(StageFailed, match="nowhere"):
        go(cycle, "collect")


def test_a_second_cycle_asks_the_champion_nothing_twice(
    skills: Any, cycle: Run, agent: Agent
) -> None:
    go(cycle)
    Run.objects.filter(pk=cycle.pk).update(state="done")
    second = Run.objects.create(agent=agent, cycle=2, seed=8, recipe=cycle.recipe, state="running")
    go(second, "screen")
    again = Trajectory.objects.filter(run=second, purpose__in=["dev", "probe"])
    assert again.exists()
    assert set(again.values_list("candidate__number", flat=True)) == {2}
    screen_row = Evaluation.objects.get(run=second, kind="screen")
    assert screen_row.n == RECIPE["dev_tasks"]
