"""One worker has a stage: claim, fence, lease, and what the stage context does with them."""

import threading
import time

import pytest
from django.db import connection
from django.db.models import F

from improvement.jobs import launch, leases, outcomes, working
from improvement.jobs.context import Cancelled, FenceLost
from improvement.jobs.heartbeat import beating
from improvement.jobs.working import HandedBack, Working
from improvement.models import AuditRow, RunStates, Stage
from improvement.records import Progress
from tests.loop.fake_stages import KINDS
from tests.loop.runs import claimed, launched, let_lease_end, stage_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kinds(settings):
    settings.PAWL_RUN_KINDS = KINDS


def test_a_claim_raises_the_fence_and_starts_the_run():
    run = launched()
    stage = claimed(run).stage
    run.refresh_from_db()
    assert (stage.state, stage.fence, stage.attempt, stage.worker) == ("running", 2, 1, "w")
    assert stage.lease_until > stage.started_at
    assert run.state == RunStates.RUNNING


def test_nobody_else_can_claim_it():
    stage = claimed(launched()).stage
    assert leases.claim(stage.pk, "other") is None


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_at_once_one_gets_it(queues):
    stage = stage_of(launched())
    got, barrier = [], threading.Barrier(8)

    def try_it(number):
        barrier.wait()
        got.append(leases.claim(stage.pk, f"w{number}"))
        connection.close()

    threads = [threading.Thread(target=try_it, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len([stage for stage in got if stage]) == 1
    stage.refresh_from_db()
    assert (stage.fence, stage.attempt) == (2, 1)


def test_a_stage_whose_turn_has_not_come_is_not_claimed():
    assert leases.claim(stage_of(launched(), "second").pk, "w") is None


def test_a_stage_that_does_not_exist_is_not_claimed():
    assert leases.claim(10**12, "w") is None


def test_a_cancelled_run_is_not_claimed():
    run = launched()
    launch.cancel(run, None)
    assert leases.claim(stage_of(run).pk, "w") is None


def test_after_the_last_attempt_it_is_not_claimed():
    run = launched()
    run.stages.update(attempt=5)
    assert leases.claim(stage_of(run).pk, "w") is None


def test_a_stage_that_is_to_wait_is_not_claimed_before_its_time():
    context = claimed(launched())
    outcomes.retry(context.stage, "a stone in the way")
    assert leases.claim(context.stage.pk, "w") is None
    let_lease_end(context.stage)
    assert leases.claim(context.stage.pk, "w").attempt == 2


def test_when_the_lease_ends_another_takes_it_and_the_first_can_write_nothing_more():
    first = claimed(launched())
    let_lease_end(first.stage)
    second = Working(leases.claim(first.stage.pk, "second"))
    assert second.stage.fence == first.stage.fence + 1
    with pytest.raises(FenceLost), first.writing():
        AuditRow.record("effect", first.stage)
    with pytest.raises(FenceLost):
        first.check()
    with pytest.raises(FenceLost):
        first.progress(Progress(1, 2, "units"))
    for report in (outcomes.hand_back, outcomes.cancelled):
        with pytest.raises(FenceLost):
            report(first.stage)
    with pytest.raises(FenceLost):
        outcomes.complete(first.stage, {})
    for report in (outcomes.failed, outcomes.retry):
        with pytest.raises(FenceLost):
            report(first.stage, "late")
    assert not AuditRow.objects.filter(verb="effect").exists()
    with second.writing():
        AuditRow.record("effect", second.stage)
    outcomes.complete(second.stage, {})


def test_an_error_inside_writing_leaves_nothing():
    context = claimed(launched())
    with pytest.raises(ZeroDivisionError), context.writing():
        AuditRow.record("effect", context.stage)
        raise ZeroDivisionError
    assert not AuditRow.objects.filter(verb="effect").exists()


def test_a_slow_worker_takes_its_stage_back_while_nobody_else_has_it():
    context = claimed(launched())
    Stage.objects.filter(pk=context.stage.pk).update(state="ready", lease_until=None)
    assert leases.extend(context.stage)
    context.stage.refresh_from_db()
    assert context.stage.state == "running"


def test_a_worker_that_gave_its_stage_up_does_not_get_it_back():
    for give_up in (outcomes.hand_back, lambda stage: outcomes.retry(stage, "a stone")):
        context = claimed(launched())
        give_up(context.stage)
        assert not leases.extend(context.stage)


def test_a_slow_worker_does_not_come_back_after_a_resume():
    run = launched()
    context = claimed(run)
    outcomes.failed(context.stage, "no lamp")
    launch.resume(run, None)
    assert not leases.extend(context.stage)


def test_check_tells_of_a_cancelled_run():
    run = launched()
    context = claimed(run)
    launch.cancel(run, None)
    with pytest.raises(Cancelled):
        context.check()


def test_check_tells_that_the_worker_is_to_stop():
    context = claimed(launched())
    working.STOP.set()
    try:
        with pytest.raises(HandedBack):
            context.check()
    finally:
        working.STOP.clear()


def test_progress_and_check_ask_the_database_at_most_once_a_second(
    django_assert_max_num_queries,
):
    context = claimed(launched())
    with django_assert_max_num_queries(2):
        for done in range(1000):
            context.progress(Progress(done, 1000, "units"))
            context.check()


def test_the_curve_is_thinned_and_keeps_its_ends():
    context = claimed(launched())
    for done in range(1, 2001):
        context.progress(Progress(done, 2000, "steps", figures={"loss": 1 / done}))
    context.save_progress()
    context.stage.refresh_from_db()
    points = context.stage.progress["points"]
    assert 150 < len(points) <= 400
    assert (points[0]["done"], points[-1]["done"]) == (1, 2000)


def test_a_stage_that_goes_on_from_a_checkpoint_overwrites_the_tail_of_its_curve():
    first = claimed(launched())
    for done in range(1, 9):
        first.progress(Progress(done, 10, "steps", figures={"loss": 1.0}))
    first.save_progress()
    let_lease_end(first.stage)
    second = Working(leases.claim(first.stage.pk, "second"))
    second.progress(Progress(5, 10, "steps", figures={"loss": 2.0}))
    second.stage.refresh_from_db()
    assert [p["done"] for p in second.stage.progress["points"]] == [1, 2, 3, 4, 5]


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_keeps_the_lease_and_tells_when_it_is_lost(settings, queues):
    settings.PAWL_LEASE = 0.4
    context = claimed(launched())
    with beating(context.stage, context.lost):
        time.sleep(1)
        assert leases.claim(context.stage.pk, "other") is None
        Stage.objects.filter(pk=context.stage.pk).update(fence=F("fence") + 1)
        assert context.lost.wait(5)
    with pytest.raises(FenceLost):
        context.check()
