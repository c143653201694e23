"""The decision form: what is taken, what is refused, what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from improvement.models import AuditRow, Candidate
from reviews.models import Review
from tests import factories
from tests.pages import scenes

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(client: Client) -> Client:
    client.force_login(factories.make_user("reviewer", "ana"))
    return client


def form(candidate: Candidate, decision: str, **fields: Any) -> dict[str, Any]:
    """What the browser would send from a page opened now."""
    seen = scenes.seen(candidate)
    shown = {"evidence": seen["evidence_digest"], "version": seen["expected_version"]}
    return {"decision": decision, "reason": "I read it", **shown, **fields}


def send(client: Client, candidate: Candidate, decision: str, **fields: Any) -> Any:
    url = reverse("candidate-decide", args=[candidate.pk])
    return client.post(url, form(candidate, decision, **fields))


@pytest.mark.parametrize("decision", ["approve", "reject", "changes"])
def test_a_decision_is_taken_and_told(reviewer: Client, decision: str) -> None:
    candidate = scenes.waiting()
    answer = send(reviewer, candidate, decision)
    assert answer.status_code == 302
    assert Review.objects.get().decision == decision
    serves = candidate if decision == "approve" else candidate.parent
    assert candidate.agent.champion == serves


def test_a_refused_decision_keeps_what_was_written(reviewer: Client) -> None:
    candidate = scenes.waiting()
    factories.make_warning(candidate, "red")
    answer = send(reviewer, candidate, "approve", reason="A long and careful text")
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "A long and careful text" in text
    assert "Acknowledge it on the warnings page" in text
    assert not Review.objects.exists()


def test_a_stale_form_is_refused(reviewer: Client) -> None:
    candidate = scenes.waiting()
    assert send(reviewer, candidate, "approve", evidence="0" * 64).status_code == 409
    assert send(reviewer, candidate, "approve", version=99).status_code == 409
    assert candidate.agent.champion == candidate.parent


def test_a_double_click_decides_once(reviewer: Client) -> None:
    candidate = scenes.waiting()
    fields = form(candidate, "approve")
    url = reverse("candidate-decide", args=[candidate.pk])
    assert reviewer.post(url, fields).status_code == 302
    second = reviewer.post(url, fields)
    assert second.status_code == 409
    assert "approved by ana" in second.content.decode()
    assert AuditRow.objects.filter(verb="approve").count() == 1


@pytest.mark.parametrize(
    "fields",
    [{"decision": "delete"}, {"decision": ""}, {"version": "x"}, {"version": ""}, {"version": "²"}],
)
def test_a_mangled_form_is_a_bad_request(reviewer: Client, fields: dict[str, str]) -> None:
    candidate = scenes.waiting()
    url = reverse("candidate-decide", args=[candidate.pk])
    assert reviewer.post(url, form(candidate, "approve") | fields).status_code == 400


def test_an_empty_reason_is_refused(reviewer: Client) -> None:
    candidate = scenes.waiting()
    answer = send(reviewer, candidate, "approve", reason="   ")
    assert answer.status_code == 409
    assert "Say why" in answer.content.decode()
