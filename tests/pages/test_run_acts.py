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
    client = signed_in("engineer")
    for address in ("/runs/launch/nobody/", "/runs/999/cancel/", "/runs/999/resume/"):
        assert client.post(address).status_code == 404


def test_one_click_starts_a_run_and_opens_it() -> None:
    agent, engineer = factories.make_agent("till"), factories.make_user("engineer")
    answer = signed_in(user=engineer).post("/runs/launch/till/", follow=True)
    run = Run.objects.get(agent=agent)
    assert answer.redirect_chain[-1][0] == f"/runs/{run.pk}/"
    assert "Cycle 1 of till is queued" in text_of(answer)
    assert (run.launched_by, run.cycle) == (engineer, 1)


def test_a_second_click_is_told_that_a_run_is_under_way() -> None:
    factories.make_agent("till")
    client = signed_in("engineer")
    client.post("/runs/launch/till/")
    answer = client.post("/runs/launch/till/", follow=True)
    assert "one run at a time" in text_of(answer)
    assert Run.objects.count() == 1


def test_a_hold_stops_it_and_says_who_can_release_it() -> None:
    factories.make_hold(factories.make_agent("till"), reason="Diversity fell.")
    answer = signed_in("engineer").post("/runs/launch/till/", follow=True)
    assert "Diversity fell." in text_of(answer)
    assert not Run.objects.exists()


def test_a_run_is_cancelled_and_resumed() -> None:
    factories.make_agent("till")
    client = signed_in("engineer")
    client.post("/runs/launch/till/")
    run = Run.objects.get()
    assert "is being cancelled" in text_of(client.post(f"/runs/{run.pk}/cancel/", follow=True))
    run.refresh_from_db()
    assert run.state == "cancelled"
    again = text_of(client.post(f"/runs/{run.pk}/cancel/", follow=True))
    assert "is not running" in again
    resumed = text_of(client.post(f"/runs/{run.pk}/resume/", follow=True))
    assert "first unfinished stage" in resumed
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_finished_run_does_not_resume() -> None:
    run = factories.make_run(state="done")
    answer = signed_in("engineer").post(f"/runs/{run.pk}/resume/", follow=True)
    assert "only a failed or a cancelled run resumes" in text_of(answer)
