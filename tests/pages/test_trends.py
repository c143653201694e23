"""The trends page: figures, tables, markers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviews.trends import held_out
from tests import factories
from tests.browser import story

pytestmark = pytest.mark.django_db


@pytest.fixture
def anybody(client: Client) -> Client:
    client.force_login(factories.make_user())
    return client


def figures(text: str) -> dict[str, Any]:
    """The figures on the page, by id."""
    scripts = re.findall(r'<script id="([\w-]+)" type="application/json">(.*?)</script>', text)
    return {name: json.loads(body) for name, body in scripts}


def test_it_draws_scores_rollbacks_and_signals(anybody: Client) -> None:
    candidate = story.tell()
    text = anybody.get(reverse("trends")).content.decode()
    found = figures(text)
    assert {"heldout", "gap", "signal-token-entropy", "signal-pass-at-1"} <= set(found)
    scores = next(t for t in found["heldout"]["data"] if t["name"] == "candidate, held-out")
    assert scores["x"] == ["till-0", "till-1", "till-2", "till-3", "till-4"]
    assert scores["customdata"][-1][0] == reverse("candidate", args=[candidate.pk])
    assert "back to till-2" in found["heldout"]["layout"]["annotations"][0]["text"]
    assert "plotly-basic.min.js" in text
    assert re.search(r"till-4</a></td><td class=\"num\">96\.4 %", text)


def test_a_rollback_stands_after_the_gate_it_followed() -> None:
    candidate = story.tell()
    found = held_out(candidate.agent)
    assert [(r.after, r.to) for r in found.rollbacks] == [(3, "till-2")]
    assert [g.served for g in found.gates] == [True, True, True, True, False]
    assert found.base == pytest.approx(0.4)


def test_a_family_has_a_trend_of_its_own(anybody: Client) -> None:
    story.tell()
    text = anybody.get(reverse("trends") + "?family=till-2").content.decode()
    scores = next(t for t in figures(text)["heldout"]["data"] if t["name"] == "candidate, held-out")
    assert scores["customdata"][-1][3] == 27


def test_a_family_that_is_not_there_is_no_error(anybody: Client) -> None:
    story.tell()
    answer = anybody.get(reverse("trends") + "?family=<x>%00")
    assert answer.status_code == 200
    assert "<x>" not in answer.content.decode()


def test_without_agents_or_gates_it_says_what_to_do(anybody: Client) -> None:
    assert "No agent yet" in anybody.get(reverse("trends")).content.decode()
    agent = factories.make_champion().agent
    text = anybody.get(reverse("trends")).content.decode()
    assert f"improve {agent}" in text
    assert "plotly" not in text


def test_an_unknown_agent_is_404(anybody: Client) -> None:
    factories.make_agent()
    assert anybody.get(reverse("trends") + "?agent=nobody").status_code == 404
