"""Starting, cancelling and resuming a run from the browser."""

from __future__ import annotations

import pytest

from improvement.models import Run
from tests import factories
from tests.pages.people import signed_in, text_of

pytestmark = pytest.mark.django_db


def addresses() -> list[str]:
    run = factories.make_run(factories.make_agent("till"))
    return ["/runs/launch/till/", f"/runs/{run.pk}/cancel/", f"/runs/{run.pk}/resume/"]


def test_reading_changes_nothing() -> None:
    client = signed_in("admin")
    for address in addresses():
        assert client.get(address).status_code == 405


@pytest.mark.parametrize("role", ["", "reviewer", "manager"])
def test_other_roles_are_refused_with_the_role_that_they_need(role: str) -> None:
    client = signed_in(role)
    for address in addresses():
        answer = client.post(address)
        assert answer.status_code == 403
        assert "engineer or admin" in text_of(answer)
    assert Run.objects.get().state == "running"


def test_an_agent_or_a_run_that_is_not_there_is_not_found() -> None:
    pytest.importorskip("improvement.jobs.launch")
    client = signed_in("engineer")
    for address in ("/runs/launch/nobody/", "/runs/999/cancel/", "/runs/999/resume/"):
        assert client.post(address).status_code == 404
