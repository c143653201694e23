"""The queue and the review page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from improvement.models import Candidate, EvaluationItem
from reviews import decisions
from tests import factories
from tests.browser import story
from tests.pages import scenes

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(client: Client) -> Client:
    client.force_login(factories.make_user("reviewer", "ana"))
    return client


def page(client: Client, candidate: Candidate, query: str = "") -> str:
    return client.get(reverse("candidate", args=[candidate.pk]) + query).content.decode()


def test_the_queue_shows_what_waits_and_its_gate(reviewer: Client) -> None:
    waiting = scenes.waiting()
    other = scenes.waiting(state="rejected")
    text = reviewer.get(reverse("candidates")).content.decode()
    assert str(waiting) in text
    assert str(other) not in text
    assert "+50.0 pts" in text
    everything = reviewer.get(reverse("candidates") + "?state=all").content.decode()
    assert str(other) in everything


def test_the_queue_survives_a_made_up_filter(reviewer: Client) -> None:
    scenes.waiting()
    for query in ("?state=x", "?agent=nobody", "?before=abc&after=-1", "?state=all&agent=%00"):
        assert reviewer.get(reverse("candidates") + query).status_code == 200


def test_the_queue_costs_the_same_for_many(
    reviewer: Client, django_assert_max_num_queries: Any
) -> None:
    agent = factories.make_champion().agent
    for number in range(1, 40):
        factories.make_candidate(agent, number=number)
    with django_assert_max_num_queries(14):
        assert reviewer.get(reverse("candidates")).status_code == 200


def test_an_empty_queue_says_what_to_do(reviewer: Client) -> None:
    assert "python manage.py improve" in reviewer.get(reverse("candidates")).content.decode()


def test_the_first_screen_answers_every_question(reviewer: Client) -> None:
    candidate = story.tell()
    text = page(reviewer, candidate)
    for question in ("What changed?", "Is it better?", "What got worse?", "What is risky?"):
        assert question in text
    assert "passes 96.4 % of 55 fresh held-out tasks" in text
    assert "It fails 2 tasks that the champion solves, and solves 33" in text
    assert "all checks passed" in text
    assert decisions.digest_now(candidate) in text


def test_a_review_page_costs_few_queries(
    reviewer: Client, django_assert_max_num_queries: Any
) -> None:
    candidate = story.tell()
    page(reviewer, candidate)
    with django_assert_max_num_queries(29):
        page(reviewer, candidate)


def test_open_checks_stop_the_approve_button_and_say_why(reviewer: Client) -> None:
    candidate = scenes.waiting()
    scenes.damage(candidate)
    factories.make_warning(candidate, "red")
    text = page(reviewer, candidate)
    assert "2 open" in text
    assert "Restore it from a backup" in text
    assert re.search(r'data-decide="dialog-approve"\s+disabled', text)


def test_the_proposer_sees_that_another_person_must_decide(client: Client) -> None:
    author = factories.make_user("reviewer")
    candidate = scenes.waiting(proposer=author)
    client.force_login(author)
    assert "another person must decide" in page(client, candidate)


def test_an_engineer_reads_everything_and_gets_no_form(client: Client) -> None:
    client.force_login(factories.make_user("engineer"))
    text = page(client, scenes.waiting())
    assert 'id="decision"' not in text
    assert "you need the role reviewer" in text


def test_a_decided_candidate_shows_who_when_and_why(reviewer: Client) -> None:
    candidate = scenes.waiting()
    bo = factories.make_user("reviewer", "bo")
    seen = scenes.seen(candidate)
    decisions.reject(candidate, reviewer=bo, reason="It forgets <b>rugs</b>", **seen)
    text = page(reviewer, candidate)
    assert "bo" in text
    assert "It forgets &lt;b&gt;rugs&lt;/b&gt;" in text
    assert 'id="decision"' not in text


def test_model_text_is_never_markup(reviewer: Client) -> None:
    candidate = scenes.waiting()
    bad = "<script>alert(1)</script>\x1b[31m"
    task = factories.make_task(candidate.agent, "dev", prompt=bad)
    gate = candidate.evaluations.get()
    EvaluationItem.objects.create(
        evaluation=gate, task=task, champion_passed=True, candidate_passed=False
    )
    factories.make_warning(candidate, sentence=bad)
    text = page(reviewer, candidate)
    assert "<script>alert" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_generation_zero_and_an_unmeasured_candidate_have_a_page(reviewer: Client) -> None:
    base = factories.make_champion()
    assert "beginning" in page(reviewer, base)
    young = factories.make_candidate(base.agent, state="trained")
    assert "No gate has measured" in page(reviewer, young)


def test_a_candidate_that_is_not_there_is_404(reviewer: Client) -> None:
    assert reviewer.get(reverse("candidate", args=[987654])).status_code == 404
