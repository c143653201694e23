"""A Valkey that is killed and comes back, empty or not, in the middle of a run."""

import shutil

import pytest

from improvement.models import RunStates
from improvement.services import addresses, valkey
from tests.loop.fake_stages import KINDS
from tests.loop.runs import launched, stage_of
from tests.loop.workers import assert_each_effect_once, crew, units_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(not addresses.redis_is_embedded(), reason="kills the embedded Valkey"),
]


@pytest.mark.parametrize("empty", [False, True], ids=["with its data", "empty"])
def test_workers_and_reconciler_go_on_when_valkey_is_killed_and_started_again(
    services, queues, settings, tmp_path, empty
):
    settings.PAWL_RUN_KINDS = KINDS
    run = launched(units=10, seconds=0.1)
    with crew(tmp_path, 2.0) as workers:
        workers.work("default")
        workers.start("reconcile", "--every", "0.3")
        workers.until(lambda: len(units_of(stage_of(run))) > 2)
        valkey.stop(services, seconds=0)
        workers.until(lambda: stage_of(run).state == "done")  # a stage needs no Valkey
        if empty:
            shutil.rmtree(valkey.data_folder(services))
        valkey.start(services)
        workers.finish(run)
        assert run.state == RunStates.DONE, workers.text()
        assert "The queue does not answer" in workers.text()
    assert_each_effect_once(run)
