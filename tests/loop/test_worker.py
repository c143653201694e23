"""A whole run through real workers, real PostgreSQL and real Valkey."""

import pytest

from improvement.jobs import launch
from improvement.models import AuditRow, RunStates
from tests import factories
from tests.loop.fake_stages import KINDS
from tests.loop.workers import assert_each_effect_once, crew

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kinds(settings, queues):
    settings.PAWL_RUN_KINDS = KINDS


def test_a_run_goes_through_all_its_stages(tmp_path):
    agent = factories.make_agent()
    run = launch.launch(agent, actor=None, kind="fake", recipe={"units": 3})
    with crew(tmp_path) as workers:
        workers.work("default,rollout,train")
        workers.finish(run)
    assert run.state == RunStates.DONE, workers.text()
    assert_each_effect_once(run)
    stages = list(run.stages.all())
    assert [s.attempt for s in stages] == [1, 1, 1]
    assert [s.input_digest for s in stages[1:]] == [s.output_digest for s in stages[:-1]]
    assert stages[0].progress["done"] == 3
    assert [p["done"] for p in stages[0].progress["points"]] == [1, 2, 3]
    assert AuditRow.objects.filter(object_type="run").count() == 2
