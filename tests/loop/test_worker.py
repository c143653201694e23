"""Runs through real worker processes, a real PostgreSQL and a real Valkey."""

import os
import signal

import pytest

from improvement.health import queue_client
from improvement.jobs import crew as alive
from improvement.jobs import launch
from improvement.models import AuditRow, RunStates, Stage
from tests.loop.fake_stages import KINDS
from tests.loop.runs import launched, stage_of, states
from tests.loop.workers import assert_each_effect_once, crew, units_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kinds(settings, queues):
    settings.PAWL_RUN_KINDS = KINDS
    settings.PAWL_LEASE = 3.0


@pytest.mark.external
def test_a_run_goes_through_all_its_stages(tmp_path):
    run = launched(units=3)
    with crew(tmp_path) as workers:
        workers.work()
        workers.finish(run)
        assert run.state == RunStates.DONE, workers.text()
    assert_each_effect_once(run)
    stages = list(run.stages.all())
    assert [s.attempt for s in stages] == [1, 1, 1]
    assert [s.input_digest for s in stages[1:]] == [s.output_digest for s in stages[:-1]]
    assert stages[0].progress["done"] == 3
    assert [p["done"] for p in stages[0].progress["points"]] == [1, 2, 3]
    assert AuditRow.objects.filter(object_type="run").count() == 2


@pytest.mark.slow
def test_each_queue_has_its_worker(tmp_path):
    run = launched("spread", units=2)
    with crew(tmp_path) as workers:
        for queue in ("default", "rollout", "train"):
            workers.work(queue)
        workers.until(lambda: len(alive.served() or {}) == 3)
        assert alive.unattended(["default", "rollout", "train"]) == ""
        workers.finish(run)
    assert run.state == RunStates.DONE, workers.text()
    names = list(run.stages.values_list("worker", flat=True))
    assert len(set(names)) == 3


def test_a_stage_that_can_not_succeed_fails_the_run_with_its_message(tmp_path):
    run = launched("refuse")
    with crew(tmp_path) as workers:
        workers.work("default", "--burst")
        workers.finish(run)
    stage = stage_of(run, "broken")
    assert (stage.state, stage.attempt) == ("quarantined", 1)
    assert stage.error == "There is no lamp. Buy one, then resume the run."
    assert run.error == f"broken: {stage.error}"
    assert states(run)[1] == "pending"


def test_a_stage_that_stumbles_is_tried_again_and_succeeds(tmp_path):
    run = launched("stumble", stumbles=1)
    with crew(tmp_path) as workers:
        workers.work("default")
        workers.start("reconcile", "--every", "0.2")
        workers.finish(run)
    assert run.state == RunStates.DONE, workers.text()
    assert stage_of(run, "broken").result == {"attempts": 2}
    assert stage_of(run, "broken").error == ""


def test_a_stage_that_always_stumbles_is_put_aside_with_its_error(tmp_path):
    run = launched("stumble", stumbles=9)
    run.stages.update(max_attempts=2)
    with crew(tmp_path) as workers:
        workers.work("default")
        workers.start("reconcile", "--every", "0.2")
        workers.finish(run)
    stage = stage_of(run, "broken")
    assert (run.state, stage.state, stage.attempt) == ("failed", "quarantined", 2)
    assert "ZeroDivisionError: a stone in the way" in stage.error
    assert "Given up after 2 attempts." in stage.error


def test_a_stage_whose_process_always_dies_is_put_aside(tmp_path):
    run = launched("die")
    run.stages.update(max_attempts=3)
    with crew(tmp_path) as workers:
        workers.work("default")
        workers.finish(run)
    assert run.state == "failed"
    assert "The worker died in each of 3 attempts" in run.error


def test_cancelled_in_the_middle_it_stops_and_keeps_what_is_done(tmp_path):
    run = launched(units=200, seconds=0.05)
    with crew(tmp_path) as workers:
        workers.work("default")
        workers.until(lambda: len(units_of(stage_of(run))) > 3)
        launch.cancel(run, None)
        workers.finish(run, seconds=10)
        assert run.state == RunStates.CANCELLED
        kept = len(units_of(stage_of(run)))
        assert 3 < kept < 200
        run.recipe = {"units": kept + 2}
        run.save()
        launch.resume(run, None)
        workers.finish(run)
    assert run.state == RunStates.DONE, workers.text()
    assert_each_effect_once(run)


def test_asked_to_stop_a_worker_hands_its_stage_back_without_counting_an_attempt(tmp_path):
    run = launched(units=30, seconds=0.1)
    with crew(tmp_path) as workers:
        first = workers.work("default")
        workers.until(lambda: units_of(stage_of(run)))
        first.send_signal(signal.SIGTERM)
        workers.until(lambda: stage_of(run).state == "ready", seconds=10)
        assert stage_of(run).attempt == 0
        workers.until(lambda: workers.processes[0].poll() is not None)
        workers.work("default")
        workers.finish(run)
    assert run.state == RunStates.DONE, workers.text()
    assert stage_of(run).attempt == 1
    assert_each_effect_once(run)


def test_a_worker_outlives_a_valkey_that_drops_its_connections_and_forgets_it(tmp_path):
    with crew(tmp_path) as workers:
        workers.work("default")
        workers.until(lambda: alive.served() == {"default": 1})
        client = queue_client()
        client.flushall()
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        run = launched(units=1)
        workers.finish(run)
        assert run.state == RunStates.DONE, workers.text()
        assert workers.processes[0].poll() is None


def test_a_worker_of_an_unknown_queue_says_which_there_are(tmp_path):
    with crew(tmp_path) as workers:
        workers.work("rolout")
        assert workers.processes[0].wait(30) == 1
        assert "There is no queue 'rolout'. Queues: default, rollout, train." in workers.text()


def test_a_workers_process_dies_with_it(tmp_path):
    run = launched(units=500, seconds=0.1)
    with crew(tmp_path) as workers:
        parent = workers.work("default")
        workers.until(lambda: units_of(stage_of(run)))
        (horse,) = parent.children()
        os.kill(parent.pid, signal.SIGKILL)
        horse.wait(5)
    assert Stage.objects.get(pk=stage_of(run).pk).state == "running"
