"""The deployments page and its rollback."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from improvement.models import AuditRow, Candidate
from improvement.promotion import rollback_target
from reviews.history import histories
from tests import factories
from tests.pages import scenes

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(factories.make_user("manager", "mia"))
    return client


def roll_back(client: Client, current: Candidate, target: Candidate, **fields: Any) -> Any:
    deployment = current.agent.deployment
    assert deployment
    sent = {"expected": deployment.pk, "to": target.pk, "preset": "Approved by mistake"}
    url = reverse("roll-back", args=[current.agent.name])
    return client.post(url, sent | fields, follow=True)


def test_it_shows_what_serves_and_the_way_back(manager: Client) -> None:
    candidate = scenes.approved()
    text = manager.get(reverse("deployments")).content.decode()
    assert f"Roll back to {candidate.parent}" in text
    assert "first deployment" in text


def test_one_post_rolls_back_with_its_reason(manager: Client) -> None:
    candidate = scenes.approved()
    base = candidate.parent
    assert base
    answer = roll_back(manager, candidate, base, reason="it was Monday")
    assert f"{base} serves {candidate.agent} now" in answer.content.decode()
    assert candidate.agent.champion == base
    row = AuditRow.objects.get(verb="rollback")
    assert row.reason == "Approved by mistake: it was Monday"
    assert row.actor
    assert row.actor.get_username() == "mia"


def test_generation_zero_has_nothing_to_go_back_to(manager: Client) -> None:
    factories.make_champion()
    text = manager.get(reverse("deployments")).content.decode()
    assert "nothing to roll back to" in text
    assert "<dialog" not in text


def test_a_second_rollback_of_the_same_page_is_refused(manager: Client) -> None:
    candidate = scenes.approved()
    base, deployment = candidate.parent, candidate.agent.deployment
    assert base
    assert deployment
    roll_back(manager, candidate, base)
    answer = roll_back(manager, candidate, base, expected=deployment.pk)
    assert "Nothing was changed" in answer.content.decode()
    assert AuditRow.objects.filter(verb="rollback").count() == 1


def test_it_refuses_without_a_reason(manager: Client) -> None:
    candidate = scenes.approved()
    assert candidate.parent
    answer = roll_back(manager, candidate, candidate.parent, preset="", reason=" ")
    assert "Say why" in answer.content.decode()
    assert candidate.agent.champion == candidate


def test_it_refuses_what_never_served_and_what_is_not_of_the_agent(manager: Client) -> None:
    candidate = scenes.approved()
    never = scenes.waiting(candidate.agent)
    assert "never served" in roll_back(manager, candidate, never).content.decode()
    stranger = factories.make_champion()
    assert roll_back(manager, candidate, stranger).status_code == 404
    assert candidate.agent.champion == candidate


@pytest.mark.parametrize("fields", [{"expected": ""}, {"to": "x"}, {"to": "9" * 40}])
def test_a_mangled_form_is_a_bad_request(manager: Client, fields: dict[str, str]) -> None:
    candidate = scenes.approved()
    assert candidate.parent
    assert roll_back(manager, candidate, candidate.parent, **fields).status_code == 400


def test_a_damaged_earlier_version_is_refused(manager: Client) -> None:
    first = scenes.approved()
    second = scenes.approved(first.agent)
    scenes.damage(first)
    assert "keeps serving" in roll_back(manager, second, first).content.decode()
    assert first.agent.champion == second


def test_an_engineer_gets_no_button(client: Client) -> None:
    client.force_login(factories.make_user("engineer"))
    scenes.approved()
    text = client.get(reverse("deployments")).content.decode()
    assert "<dialog" not in text
    assert "can roll back" in text


def test_the_target_on_the_page_is_that_of_the_verb() -> None:
    first = scenes.approved()
    agent = first.agent
    scenes.approved(agent)
    for _ in range(2):
        shown = histories([agent])[0]
        assert shown.current
        assert shown.earlier == rollback_target(shown.current)
        scenes.promotion_back(agent)


def test_many_agents_cost_the_same(manager: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(12):
        factories.make_champion()
    with django_assert_max_num_queries(9):
        assert manager.get(reverse("deployments")).status_code == 200


def test_an_unknown_agent_is_said(manager: Client) -> None:
    text = manager.get(reverse("deployments") + "?agent=<x>").content.decode()
    assert "There is no agent named &lt;x&gt;" in text
