"""The pairs of a gate: the table, and two attempts side by side."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from improvement.models import Candidate, EvaluationItem
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


def test_pairs_come_losses_first_and_the_tiles_filter_them(reviewer: Client) -> None:
    candidate = story.tell()
    outcomes = re.findall(r"</svg>(loss|win|tie)</span></td>", page(reviewer, candidate))
    assert outcomes[:3] == ["loss", "loss", "win"]
    assert len(outcomes) == 25
    only = re.findall(r"</svg>(loss|win|tie)</span></td>", page(reviewer, candidate, "?show=loss"))
    assert only == ["loss", "loss"]


def test_the_pages_of_pairs_show_each_item_once(reviewer: Client) -> None:
    candidate = story.tell()
    seen: list[str] = []
    query = "?"
    while query:
        text = page(reviewer, candidate, query)
        seen += re.findall(r'/pairs/(\d+)/" data-row', text)
        more = re.search(r'rel="next" href="(\?[^"#]*)', text)
        query = more.group(1).replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 55


def test_htmx_gets_the_table_alone(reviewer: Client) -> None:
    candidate = scenes.waiting()
    url = reverse("candidate", args=[candidate.pk]) + "?show=loss"
    answer = reviewer.get(url, headers={"hx-request": "true", "hx-target": "pairs"})
    assert answer.content.decode().lstrip().startswith('<section class="card" id="pairs"')


def test_a_made_up_filter_of_pairs_shows_all(reviewer: Client) -> None:
    candidate = scenes.waiting()
    for query in (
        "?show=x",
        "?after=9-9",
        "?after=0-",
        "?after=1-9999999999999999999",
        "?family=%00",
    ):
        url = reverse("candidate", args=[candidate.pk]) + query
        assert reviewer.get(url).status_code == 200


def test_a_pair_shows_both_attempts_with_their_evidence(reviewer: Client) -> None:
    candidate = scenes.waiting()
    item = candidate.evaluations.get().items.first()
    assert item
    text = reviewer.get(reverse("pair", args=[candidate.pk, item.pk])).content.decode()
    assert str(candidate) in text
    assert str(candidate.parent) in text
    assert text.count("expected") == 2
    assert text.count("the step that decided") == 2


def test_a_pair_with_a_missing_side_says_so(reviewer: Client) -> None:
    candidate = scenes.waiting(items=[(True, None)])
    item = candidate.evaluations.get().items.first()
    assert item
    text = reviewer.get(reverse("pair", args=[candidate.pk, item.pk])).content.decode()
    assert "There is no attempt on this side" in text


def test_a_pair_of_another_candidate_is_404(reviewer: Client) -> None:
    one, other = scenes.waiting(), scenes.waiting()
    item = other.evaluations.get().items.first()
    assert item
    assert reviewer.get(reverse("pair", args=[one.pk, item.pk])).status_code == 404


def test_a_sealed_item_is_shown_to_nobody(reviewer: Client) -> None:
    candidate = scenes.waiting(items=[(True, True)])
    gate = candidate.evaluations.get()
    block = factories.make_block(candidate, 1)
    task = block.tasks.get()
    item = EvaluationItem.objects.create(evaluation=gate, task=task)
    assert task.prompt not in page(reviewer, candidate)
    assert reviewer.get(reverse("pair", args=[candidate.pk, item.pk])).status_code == 404
