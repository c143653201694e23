"""What people do to runs: launch, cancel, resume; and the cycles that follow by themselves."""

import threading

import pytest
from django.db import connection

from improvement.jobs import launch, outcomes
from improvement.jobs.plan import STAGES
from improvement.jobs.recipe import Recipe
from improvement.models import AuditRow, Doorbell, Run, RunStates
from tests import factories
from tests.loop.fake_stages import KINDS
from tests.loop.runs import claimed, launched, stage_of, states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kinds(settings):
    settings.PAWL_RUN_KINDS = KINDS


def test_it_makes_a_run_with_its_stages_a_doorbell_and_an_audit_row():
    agent, person = factories.make_agent(), factories.make_user("engineer")
    run = launch.launch(agent, actor=person, cycles=3)
    assert (run.cycle, run.cycles_left, run.state) == (1, 2, "queued")
    assert run.launched_by == person
    assert run.recipe == Recipe().as_json()
    assert list(run.stages.values_list("name", "queue")) == [(s.name, s.queue) for s in STAGES]
    assert states(run) == ["ready"] + ["pending"] * 6
    assert Doorbell.objects.get().stage == stage_of(run, "collect")
    row = AuditRow.objects.get(verb="launch")
    assert (row.actor, row.object_id, row.agent) == (person, str(run.pk), agent)


def test_its_seed_follows_from_the_agents_name_and_the_cycle():
    first = launch.launch(factories.make_agent("till"), actor=None)
    launch.cancel(first, None)
    second = launch.launch(first.agent, actor=None)
    given = launch.launch(factories.make_agent("post"), actor=None, seed=7)
    assert first.seed == launch._seed(first.agent, 1) != second.seed
    assert second.cycle == 2
    assert given.seed == 7


def test_a_recipe_overrides_the_agents():
    agent = factories.make_agent(recipe={"gate_tasks": 50, "width": 8})
    run = launch.launch(agent, actor=None, recipe={"width": 4})
    assert (run.recipe["gate_tasks"], run.recipe["width"]) == (50, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cycles": 0}, "at least 1, not 0"),
        ({"recipe": {"widht": 3}}, "no field 'widht'"),
    ],
)
def test_it_refuses_nonsense(arguments, words):
    with pytest.raises(launch.Refused, match=words):
        launch.launch(factories.make_agent(), actor=None, **arguments)
    assert not Run.objects.exists()


def test_it_refuses_an_agent_on_hold_and_says_who_can_release_it():
    agent = factories.make_agent()
    factories.make_hold(agent, reason="Distinct-2 collapsed.")
    with pytest.raises(launch.Refused, match=r"Distinct-2 collapsed\. A manager or an admin"):
        launch.launch(agent, actor=None)


def test_it_refuses_a_second_run_and_says_how_to_stop_the_first():
    run = launched()
    with pytest.raises(launch.Refused, match=f"manage.py cancel {run.pk}"):
        launch.launch(run.agent, actor=None)


@pytest.mark.django_db(transaction=True)
def test_of_eight_launches_at_once_one_starts(queues):
    agent = factories.make_agent()
    refused, barrier = [], threading.Barrier(8)

    def try_it():
        barrier.wait()
        try:
            launch.launch(agent, actor=None, kind="fake")
        except launch.Refused:
            refused.append(1)
        connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert Run.objects.count() == 1


def test_a_run_that_nobody_works_on_is_cancelled_at_once():
    run = launched()
    launch.cancel(run, None)
    assert run.state == RunStates.CANCELLED
    assert states(run) == ["cancelled"] * 3
    with pytest.raises(launch.Refused, match="is not running: it is cancelled"):
        launch.cancel(run, None)


def test_a_stage_at_work_ends_the_run_at_its_next_check():
    run = launched()
    context = claimed(run)
    launch.cancel(run, None)
    assert (run.state, run.cancel_requested) == ("running", True)
    with pytest.raises(launch.Refused, match="already"):
        launch.cancel(run, None)
    outcomes.cancelled(context.stage)
    run.refresh_from_db()
    assert run.state == RunStates.CANCELLED
    assert AuditRow.objects.filter(verb__in=["cancel", "end run"]).count() == 2


def test_a_stage_that_ends_before_it_sees_the_cancel_keeps_its_result():
    run = launched()
    context = claimed(run)
    launch.cancel(run, None)
    outcomes.complete(context.stage, {"units": 1})
    run.refresh_from_db()
    assert run.state == RunStates.CANCELLED
    assert states(run) == ["done", "cancelled", "cancelled"]


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_resume_goes_on_from_the_first_stage_that_is_not_done(how):
    run = launched()
    outcomes.complete(claimed(run).stage, {"units": 1})
    context = claimed(run, "second")
    if how == "failed":
        outcomes.failed(context.stage, "There is no lamp.")
    else:
        launch.cancel(run, None)
        outcomes.cancelled(context.stage)
    launch.resume(run, None)
    assert (run.state, run.error, run.cancel_requested) == ("queued", "", False)
    assert states(run) == ["done", "ready", "pending"]
    second = stage_of(run, "second")
    assert (second.attempt, second.error) == (0, "")
    assert claimed(run, "second").stage.fence > context.stage.fence


def test_resume_refuses_a_run_that_is_going_and_one_beside_another():
    run = launched()
    with pytest.raises(launch.Refused, match="is queued; only"):
        launch.resume(run, None)
    launch.cancel(run, None)
    launch.launch(run.agent, actor=None, kind="fake")
    with pytest.raises(launch.Refused, match="one run at a time"):
        launch.resume(run, None)


def test_resume_refuses_an_agent_on_hold():
    run = launched()
    launch.cancel(run, None)
    factories.make_hold(run.agent)
    with pytest.raises(launch.Refused, match="on hold"):
        launch.resume(run, None)


def complete_all(run, **result):
    for name in ("first", "second", "third"):
        outcomes.complete(claimed(run, name).stage, result)
    run.refresh_from_db()


def test_a_done_run_starts_the_next_cycle_and_keeps_its_recipe():
    run = launched(cycles=3, units=2)
    complete_all(run, run_state="done")
    following = run.agent.runs.get(cycle=2)
    assert (run.state, run.cycles_left) == ("done", 0)
    assert (following.state, following.cycles_left, following.recipe) == ("queued", 1, {"units": 2})


def test_a_run_that_awaits_review_leaves_the_next_cycle_to_the_decision():
    run = launched(cycles=2)
    complete_all(run, run_state="review")
    assert (run.state, run.cycles_left) == ("review", 1)
    following = launch.launch_next(run)
    assert (following.cycle, following.cycles_left) == (2, 0)
    assert launch.launch_next(run) is None


def test_an_unknown_ending_is_done():
    run = launched()
    complete_all(run, run_state="promoted")
    assert run.state == RunStates.DONE


def test_on_hold_the_next_cycle_does_not_start_and_the_last_one_is_done_all_the_same():
    run = launched(cycles=2)
    factories.make_hold(run.agent)
    complete_all(run)
    assert (run.state, run.cycles_left) == ("done", 1)
    assert run.agent.runs.count() == 1


def test_the_next_cycles_keep_the_recipe_that_was_asked_for():
    agent = factories.make_agent(recipe={"width": 8})
    run = launch.launch(agent, actor=None, recipe={"gate_tasks": 11}, cycles=2)
    Run.objects.filter(pk=run.pk).update(state="review")
    agent.recipe = {"width": 9}
    agent.save()
    run.refresh_from_db()
    following = launch.launch_next(run)
    assert (following.recipe["gate_tasks"], following.recipe["width"]) == (11, 8)


def test_a_run_that_began_with_another_champion_does_not_resume():
    run = launch.launch(factories.make_agent(), actor=None)
    former, present = factories.make_champion(run.agent), factories.make_champion(run.agent)
    run.stages.filter(name="collect").update(state="done", result={"champion": former.pk})
    Run.objects.filter(pk=run.pk).update(state="failed")
    run.refresh_from_db()
    with pytest.raises(launch.Refused, match=f"{present} serves"):
        launch.resume(run, None)
    assert Run.objects.get(pk=run.pk).state == "failed"


def test_unknown_train_settings_are_refused_before_anything_is_queued():
    with pytest.raises(launch.Refused, match="train settings"):
        launch.launch(factories.make_agent(), actor=None, recipe={"train": {"lerning_rate": 1}})
    assert not Run.objects.exists()
