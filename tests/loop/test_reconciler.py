"""What a crash left behind is put right: silent workers, lost jobs, cancelled and idle runs."""

from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from improvement.health import queue_client
from improvement.jobs import doorbell, launch, leases, outcomes, reconciler
from improvement.jobs.reconciler import Mended
from improvement.models import Doorbell, Run, Stage
from tests import factories
from tests.loop.fake_stages import KINDS
from tests.loop.runs import claimed, launched, let_lease_end, stage_of, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kinds(settings, queues):
    settings.PAWL_RUN_KINDS = KINDS


def queued():
    return [name.decode() for name in queue_client().lrange("rq:queue:default", 0, -1)]


def some_time_passes():
    """Rings are no longer recent."""
    Doorbell.objects.exclude(rung_at=None).update(rung_at=timezone.now() - timedelta(minutes=1))


def test_where_all_is_well_it_does_nothing():
    launched()
    some_time_passes()
    assert reconciler.reconcile() == Mended()


def test_it_rings_what_was_not_rung():
    run = launched()
    queue_client().flushdb()
    Doorbell.objects.update(rung_at=None)
    assert reconciler.reconcile() == Mended(rung=1)
    assert queued() == [doorbell.job_id(stage_of(run))]


def test_it_rings_again_what_valkey_lost_once():
    run = launched()
    queue_client().flushdb()
    assert reconciler.reconcile() == Mended()  # it was rung just now: patience
    some_time_passes()
    assert reconciler.reconcile() == Mended(rung_again=1)
    assert reconciler.reconcile() == Mended()
    assert queued() == [doorbell.job_id(stage_of(run))]


def test_a_silent_workers_stage_is_ready_again_and_rung():
    run = launched()
    context = claimed(run)
    queue_client().flushdb()
    let_lease_end(context.stage)
    assert reconciler.reconcile().expired == 1
    assert states(run) == ["ready", "pending", "pending"]
    assert queued() == [doorbell.job_id(context.stage)]
    assert leases.claim(context.stage.pk, "second").attempt == 2


def test_a_worker_with_a_lease_is_left_alone():
    run = launched()
    claimed(run)
    assert not reconciler.reconcile()
    assert states(run)[0] == "running"


def test_after_the_last_attempt_the_stage_is_put_aside_and_the_run_fails():
    run = launched()
    context = claimed(run)
    Stage.objects.filter(pk=context.stage.pk).update(attempt=5)
    let_lease_end(context.stage)
    reconciler.reconcile()
    run.refresh_from_db()
    assert states(run) == ["quarantined", "pending", "pending"]
    assert run.state == "failed"
    assert "first: The worker died in each of 5 attempts" in run.error
    assert "ran out of memory" in run.error


def test_a_cancelled_run_whose_worker_died_ends_as_cancelled():
    run = launched()
    context = claimed(run)
    launch.cancel(run, None)
    assert not reconciler.reconcile()
    let_lease_end(context.stage)
    reconciler.reconcile()
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_a_cancel_that_found_nobody_is_finished():
    run = launched()
    Run.objects.filter(pk=run.pk).update(cancel_requested=True)
    assert reconciler.reconcile().cancelled == 1
    run.refresh_from_db()
    assert run.state == "cancelled"


@pytest.mark.parametrize(
    ("found", "run_state", "first"),
    [
        ({"state": "pending"}, "queued", "ready"),
        ({"state": "quarantined", "error": "no lamp"}, "failed", "quarantined"),
    ],
)
def test_a_run_without_anything_to_do_gets_something_or_ends(found, run_state, first):
    run = launched()
    run.stages.filter(name="first").update(**found)
    assert reconciler.reconcile().idle == 1
    run.refresh_from_db()
    assert (run.state, states(run)[0]) == (run_state, first)


def test_a_run_whose_stages_are_all_done_is_ended_as_its_last_result_says():
    run = launched()
    run.stages.update(state="done", result={"run_state": "review"})
    reconciler.reconcile()
    run.refresh_from_db()
    assert run.state == "review"


def test_a_stage_that_waits_before_its_next_attempt_is_rung_when_it_is_due():
    run = launched()
    context = claimed(run)
    queue_client().flushdb()
    outcomes.retry(context.stage, "a stone in the way")
    assert not reconciler.reconcile()
    assert queued() == []
    let_lease_end(context.stage)
    assert reconciler.reconcile().rung == 1
    assert queued() == [doorbell.job_id(stage_of(run))]


def test_a_dead_process_that_its_parent_saw_is_replaced_at_once():
    run = launched()
    context = claimed(run, worker="host-1")
    reconciler.release("host-2")
    assert states(run)[0] == "running"
    reconciler.release("host-1")
    assert states(run)[0] == "ready"
    context.stage.refresh_from_db()
    assert context.stage.attempt == 1


def test_a_worker_that_was_told_to_stop_counts_no_attempt():
    run = launched()
    claimed(run, worker="host-1")
    reconciler.release("host-1", count_attempt=False)
    assert stage_of(run).attempt == 0


def test_without_valkey_it_still_takes_stages_from_silent_workers(monkeypatch):
    def away(_stage):
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(doorbell, "push", away)
    run = launched()
    context = claimed(run)
    let_lease_end(context.stage)
    assert reconciler.reconcile() == Mended(expired=1)
    assert states(run)[0] == "ready"


def test_a_next_cycle_that_nobody_started_is_started_once():
    run = launched(cycles=2)
    Run.objects.filter(pk=run.pk).update(state="done")
    assert reconciler.reconcile().onward == 1
    assert run.agent.runs.get(cycle=2).state == "queued"
    assert reconciler.reconcile().onward == 0


def test_on_hold_no_next_cycle_is_started():
    run = launched(cycles=2)
    Run.objects.filter(pk=run.pk).update(state="done")
    factories.make_hold(run.agent)
    assert reconciler.reconcile().onward == 0
    assert run.agent.runs.count() == 1
