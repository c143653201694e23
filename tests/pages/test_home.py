"""Home: every agent at a glance."""

from __future__ import annotations

import pytest

from tests import factories
from tests.pages.people import queries_of, signed_in, text_of

pytestmark = pytest.mark.django_db


def test_an_empty_home_says_what_to_do() -> None:
    page = text_of(signed_in("engineer").get("/"))
    assert "No agent yet" in page
    assert "python manage.py demo" in page


def test_it_shows_the_champion_and_its_held_out_score_with_its_interval() -> None:
    candidate = factories.make_candidate(factories.make_agent("till"), state="approved")
    factories.make_evaluation(candidate)
    factories.deploy(candidate)
    page = text_of(signed_in("manager").get("/"))
    assert f"till-{candidate.number}" in page
    assert "100.0 %" in page
    assert "95 % interval 72.2 %" in page
    assert 'class="spark"' in page


def test_it_shows_what_waits_and_the_open_warnings() -> None:
    candidate = factories.make_candidate(factories.make_agent("till"), state="review")
    factories.make_warning(candidate, "red")
    page = text_of(signed_in("reviewer").get("/"))
    assert "1 candidate waits" in page
    assert f"till-{candidate.number}</strong> awaits review" in page
    assert "open warning" in page


def test_a_hold_says_why_and_who_can_release_it() -> None:
    agent = factories.make_agent()
    factories.make_hold(agent, reason="Distinct-2 <b>fell</b>\x1b[31m.")
    page = text_of(signed_in("engineer").get("/"))
    assert "Training is on hold" in page
    assert "Distinct-2 &lt;b&gt;fell&lt;/b&gt;." in page
    assert "manager or admin can release it" in page


def test_only_engineers_get_the_improve_button() -> None:
    agent = factories.make_agent()
    address = f"/runs/launch/{agent.name}/"
    assert address in text_of(signed_in("engineer").get("/"))
    assert address not in text_of(signed_in("reviewer").get("/"))


def test_running_work_is_polled_until_it_ends() -> None:
    run = factories.make_run(state="running")
    factories.make_stage(run, state="running", progress={"done": 30, "total": 60, "unit": "steps"})
    client, address = signed_in("manager"), f"/runs/{run.pk}/strip/"
    assert address in text_of(client.get("/"))
    answer = client.get(address)
    assert (answer.status_code, "30 of 60 steps" in text_of(answer)) == (200, True)
    run.state = "done"
    run.save()
    answer = client.get(address)
    assert answer.status_code == 286
    assert "hx-get" not in text_of(answer)


def test_a_failed_run_stays_until_the_next_one() -> None:
    run = factories.make_run(state="failed")
    factories.make_stage(run, state="quarantined", error="<i>disk</i> full")
    assert "&lt;i&gt;disk&lt;/i&gt; full" in text_of(signed_in("manager").get("/"))
    factories.make_run(run.agent, state="done")
    assert "disk" not in text_of(signed_in("manager").get("/"))


def test_its_queries_do_not_grow_with_agents() -> None:
    client = signed_in("engineer")
    _busy_agent()
    one = queries_of(client, "/")
    for _ in range(3):
        _busy_agent()
    assert queries_of(client, "/") == one
    assert one <= 15


def _busy_agent() -> None:
    candidate = factories.make_candidate(state="review")
    factories.make_evaluation(candidate, ((False, True),) * 2)
    factories.make_stage(factories.make_run(candidate.agent))
    factories.make_hold(candidate.agent, factories.make_warning(candidate))


def test_a_reviewer_can_roll_back_from_here_and_an_engineer_can_not() -> None:
    agent = factories.make_agent("till")
    factories.make_champion(agent)
    first = factories.make_candidate(agent, state="approved")
    factories.deploy(first)
    assert "Roll back to till-0</button>" in text_of(signed_in("reviewer").get("/"))
    assert "Roll back to" not in text_of(signed_in("engineer").get("/"))
