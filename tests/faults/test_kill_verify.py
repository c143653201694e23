"""kill -9 in the middle of verifying code: no verdict is lost or doubled, nothing is left."""

import os
import random
import signal

import pytest
from django.db.models import Count

from improvement.models import Run, RunStates, Tokens, Trajectory, Verdict
from tests.factories import make_agent, make_candidate, make_task, make_trajectory
from tests.faults.test_kill import lives, started
from tests.loop.fake_stages import KINDS
from tests.loop.runs import launched_for
from tests.loop.workers import crew

WANTED = os.environ.get("PAWL_FAULTS", "1")
KILLS = range(30 if WANTED == "large" else int(WANTED))
ATTEMPTS = 160
UNIT_TESTS = {"kind": "unit_tests"}
REFERENCE = {"entry_point": "double", "cases": [{"args": [2], "expected": 4}]}
# heapq keeps it off the fast path: these verdicts come from behind the wall.
PROGRAM = "import heapq, time\ndef double(x):\n    time.sleep(0.02)\n    return x * {}\n"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def kinds(settings, queues):
    settings.PAWL_RUN_KINDS = KINDS
    settings.PAWL_LEASE = 2.0


def verifying() -> Run:
    """A queued run whose one stage verifies ATTEMPTS programs, every third of them wrong."""
    agent = make_agent()
    recipe = {"harvest_verifier": UNIT_TESTS, "gate_verifier": UNIT_TESTS}
    run = launched_for(agent, "verify", **recipe)
    candidate = make_candidate(agent, state="base")
    task = make_task(agent, reference=REFERENCE)
    for number in range(ATTEMPTS):
        attempt = make_trajectory(
            "unverified",
            task,
            candidate,
            run=run,
            sample=number,
            final_answer=PROGRAM.format(3 if number % 3 == 0 else 2),
        )
        Tokens.objects.create(
            trajectory=attempt, segments=[], token_ids=b"", logprobs=b"", entropies=b""
        )
    return run


@pytest.mark.parametrize("seed", KILLS)
def test_kill_9_of_the_verifying_worker(tmp_path, seed):
    moment = random.Random(f"verify {seed}")
    run = verifying()
    with crew(tmp_path, 2.0) as workers:
        parent = started(workers)
        some = moment.randrange(0, ATTEMPTS - 60)
        workers.until(lambda: Verdict.objects.count() > some)
        family = [parent, *parent.children(recursive=True)]
        assert len(family) > 2  # the work-horse and its walled processes are there
        victim = moment.choice(family[:2])
        victim.send_signal(signal.SIGKILL)
        if victim is parent:
            workers.until(lambda: not any(lives(p) for p in family), seconds=10)
            parent = workers.work("default")
        workers.finish(run, seconds=90)
        assert run.state == RunStates.DONE, workers.text()
        gone = [p for p in family if p is not parent]
        workers.until(lambda: not any(lives(p) for p in gone), seconds=10)
    doubled = Trajectory.objects.annotate(n=Count("verdicts")).exclude(n=1)
    assert not doubled.exists()
    answers = Verdict.objects.values_list("answer").annotate(n=Count("id"))
    assert dict(answers) == {"fail": -(-ATTEMPTS // 3), "pass": ATTEMPTS - -(-ATTEMPTS // 3)}
