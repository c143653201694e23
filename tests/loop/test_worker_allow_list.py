"""Whoever can write to Redis can't run code through a worker: only a stage's own job is taken."""

import json
import pickle
import signal
import zlib
from itertools import count

import pytest
import redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Callback, Job
from rq.serializers import JSONSerializer

from improvement.health import queue_client
from improvement.jobs import doorbell, worker
from improvement.jobs.doorbell import FUNCTION
from improvement.models import StageStates
from tests.loop.fake_stages import KINDS
from tests.loop.runs import launched, stage_of

pytestmark = pytest.mark.django_db(transaction=True)
TOUCHED = "pawl-test-touched"


@pytest.fixture(autouse=True)
def kinds(settings, queues):
    settings.PAWL_RUN_KINDS = KINDS


def touch(*_args, **_keywords):
    """What an attacker would like to have called."""
    queue_client().set(TOUCHED, 1)


class Touching:
    def __reduce__(self):
        return (touch, ())


def queue():
    return Queue("default", connection=queue_client(), serializer=JSONSerializer)


def work():
    """One burst in this process's child, as `manage.py work --burst` does it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    worker.make_worker(["default"]).work(burst=True)
    for number, handler in before.items():
        signal.signal(number, handler)


def put(name, data, **fields):
    """Write a job into Redis by hand."""
    client = queue_client()
    fields = {"data": data, "status": "queued", "origin": "default", "timeout": "-1"} | fields
    client.hset(f"rq:job:{name}", mapping=fields)
    client.rpush("rq:queue:default", name)


def as_job(function=FUNCTION, arguments=(1,), keywords=None, instance=None):
    return zlib.compress(json.dumps([function, instance, list(arguments), keywords or {}]).encode())


def refused(name):
    with pytest.raises(NoSuchJobError):
        worker.StageJob.fetch(name, connection=queue_client(), serializer=JSONSerializer)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("stage-1-0", as_job("os.system", ["touch /tmp/x"])),
        ("stage-1-0", as_job("tests.loop.test_worker_allow_list.touch", [1])),
        ("stage-1-0", as_job(arguments=[2])),
        ("stage-1-0", as_job(arguments=[1, 2])),
        ("stage-1-0", as_job(arguments=["1"])),
        ("stage-1-0", as_job(arguments=[])),
        ("stage-1-0", as_job(keywords={"stage_id": 1})),
        ("stage-1-0", as_job(instance="x")),
        ("stage-1-0", b"no json"),
        ("stage-1-0", zlib.compress(b"[1, 2]")),
        ("stage-1-0", zlib.compress(b"[" * 100_000)),
        ("stage-1-0", pickle.dumps(Touching())),
        ("stage-1-0", zlib.compress(pickle.dumps((FUNCTION, Touching(), (1,), {})))),
        ("stage-1-0", b"x" * 5000),
        ("another-1", as_job()),
        ("stage-1", as_job()),
        ("stage-99999999999999999999-0", as_job()),
        ("stage-1-0 ", as_job()),
        ("../stage-1-0", as_job()),
    ],
    ids=count(),
)
def test_it_refuses_what_is_not_exactly_a_stages_job(name, data, caplog):
    put(name, data)
    refused(name)
    work()
    assert queue_client().get(TOUCHED) is None
    assert queue().count == 0
    assert "Refused the job" in caplog.text


@pytest.mark.parametrize(
    "broken", [{"status": "mad"}, {"timeout": "soon"}, {"created_at": "x"}, {"result_ttl": "x"}]
)
def test_it_refuses_fields_that_make_no_sense(broken):
    put("stage-1-0", as_job(), **broken)
    refused("stage-1-0")


def test_callbacks_webhooks_results_and_retries_are_not_even_read():
    stage = stage_of(launched(units=1))
    name = doorbell.job_id(stage)
    queue_client().delete("rq:queue:default")
    here = "tests.loop.test_worker_allow_list.touch"
    put(
        name,
        as_job(arguments=[stage.pk]),
        success_callback_name=here,
        failure_callback_name=here,
        stopped_callback_name=here,
        webhooks=json.dumps([{"url": "http://127.0.0.1:9/", "job_status": "finished"}]),
        result=pickle.dumps(Touching()),
        meta=pickle.dumps(Touching()),
        retries_left="3",
        repeats_left="3",
        group_id="g",
    )
    job = worker.StageJob.fetch(name, connection=queue_client(), serializer=JSONSerializer)
    assert (job.success_callback, job.failure_callback, job.stopped_callback) == (None, None, None)
    assert (job.webhooks, job.meta, job.retries_left, job.repeats_left) == ([], {}, None, None)
    work()
    stage.refresh_from_db()
    assert stage.state == StageStates.DONE
    assert queue_client().get(TOUCHED) is None


def test_a_job_of_plain_rq_with_a_callback_is_refused():
    plain = Queue("default", connection=queue_client())
    plain.enqueue(touch, on_success=Callback(touch), job_id="stage-1-0")
    work()
    assert queue_client().get(TOUCHED) is None


def test_dependents_that_stand_in_redis_do_not_run():
    stage = stage_of(launched(units=1))
    client = queue_client()
    evil = Job.create(touch, connection=client, id="evil", origin="default")
    evil.save()
    client.sadd(f"rq:job:{doorbell.job_id(stage)}:dependents", "evil")
    work()
    stage.refresh_from_db()
    assert stage.state == StageStates.DONE
    assert client.get(TOUCHED) is None


def test_a_stages_own_job_is_taken_and_leaves_nothing_in_redis():
    run = launched(units=1)
    work()
    run.refresh_from_db()
    assert run.state == "done"
    assert queue_client().keys("rq:job:*") == []


def test_a_worker_has_no_thread_when_it_forks_and_listens_to_no_channel():
    made = worker.make_worker(["default"])
    made.subscribe()
    assert made.pubsub is None


def test_rung_twice_it_is_in_the_queue_once():
    stage = stage_of(launched())
    assert queue().count == 1
    assert not doorbell.push(stage)
    assert queue().job_ids == [doorbell.job_id(stage)]


def test_a_finished_job_of_the_same_name_does_not_keep_a_stage_from_being_rung():
    stage = stage_of(launched())
    client = queue_client()
    client.delete("rq:queue:default")
    client.hset(f"rq:job:{doorbell.job_id(stage)}", "status", "finished")
    assert doorbell.push(stage)
    work()
    stage.refresh_from_db()
    assert stage.state == StageStates.DONE


def test_redis_that_does_not_answer_refuses_no_launch(monkeypatch):
    def away(_stage):
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(doorbell, "push", away)
    run = launched()
    assert run.state == "queued"
    assert stage_of(run).doorbells.get().rung_at is None
