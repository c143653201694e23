"""Every stage that a plan names is a function that there is."""

import inspect

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from improvement.jobs.context import StageFailed
from improvement.jobs.doorbell import FUNCTION
from improvement.jobs.plan import STAGES, function_of, stages_of
from tests import factories


@pytest.mark.parametrize("plan", STAGES, ids=lambda plan: plan.name)
def test_every_stage_resolves_to_a_function_of_one_context(plan):
    function = import_string(plan.path)
    assert list(inspect.signature(function).parameters) == ["context"]


@pytest.mark.parametrize("plan", STAGES, ids=lambda plan: plan.name)
def test_every_queue_is_one_that_workers_serve(plan):
    assert plan.queue in settings.RQ_QUEUES


def test_the_only_job_of_the_queue_resolves():
    assert callable(import_string(FUNCTION))


def test_an_unknown_kind_lists_those_that_there_are():
    with pytest.raises(ValueError, match=r"'improof'. Known: improve"):
        stages_of("improof")


@pytest.mark.django_db
def test_a_stage_of_an_older_version_fails_with_a_clear_message():
    stage = factories.make_stage(name="distil")
    with pytest.raises(StageFailed, match="no stage 'distil' in this version"):
        function_of(stage)
