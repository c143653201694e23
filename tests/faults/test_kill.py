"""kill -9 of workers and their processes, and a Valkey that loses all, at random moments of a run.

PAWL_FAULTS is how many of each kind, or "large". The seed of each moment is in the test's name.
"""

import os
import random
import signal
import time

import psutil
import pytest

from improvement.health import queue_client
from improvement.models import RunStates
from tests.loop.fake_stages import KINDS
from tests.loop.runs import launched
from tests.loop.workers import Crew, assert_each_effect_once, crew

WANTED = os.environ.get("PAWL_FAULTS", "3")
KILLS = range(70 if WANTED == "large" else int(WANTED))  # of each kind
LEASE = 2.0
WITHIN = 60.0  # seconds from the fault to the end of the run
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def kinds(settings, queues):
    settings.PAWL_RUN_KINDS = KINDS
    settings.PAWL_LEASE = LEASE


@pytest.fixture
def workers(tmp_path):
    with crew(tmp_path, LEASE) as made:
        yield made


def spend(moment: random.Random) -> None:
    """Until some moment of the run, which takes about three seconds."""
    time.sleep(moment.uniform(0.0, 3.0))


def started(workers: Crew):
    parent = workers.work("default")
    workers.start("reconcile", "--every", "0.3")
    workers.until(lambda: b"rq:worker" in b"".join(queue_client().keys("rq:worker:*")))
    return parent


def finish(workers: Crew, run) -> None:
    began = time.monotonic()
    workers.finish(run, seconds=WITHIN)
    print(f"ended {time.monotonic() - began:.1f} s after the fault", end=" ")
    assert run.state == RunStates.DONE, workers.text()
    assert_each_effect_once(run)
    assert set(run.stages.values_list("state", flat=True)) == {"done"}


@pytest.mark.parametrize("seed", KILLS)
def test_kill_9_of_the_worker(workers, seed):
    moment = random.Random(f"worker {seed}")
    parent = started(workers)
    run = launched(units=10, seconds=0.1)
    spend(moment)
    family = [parent, *parent.children(recursive=True)]
    parent.send_signal(signal.SIGKILL)
    workers.until(lambda: not any(lives(p) for p in family), seconds=5)  # no orphan
    workers.work("default")
    finish(workers, run)


@pytest.mark.parametrize("seed", KILLS)
def test_kill_9_of_the_process_that_does_a_stage(workers, seed):
    moment = random.Random(f"horse {seed}")
    parent = started(workers)
    run = launched(units=10, seconds=0.1)
    spend(moment)
    for horse in parent.children(recursive=True):
        horse.send_signal(signal.SIGKILL)
    finish(workers, run)
    assert lives(parent)
    workers.until(lambda: not parent.children(), seconds=5)


@pytest.mark.parametrize("seed", KILLS)
def test_flushall_of_valkey(workers, seed):
    moment = random.Random(f"flush {seed}")
    started(workers)
    run = launched(units=10, seconds=0.1)
    spend(moment)
    queue_client().flushall()
    finish(workers, run)


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
