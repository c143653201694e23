"""The list of trajectories: filters, pages by key, and what it never shows."""

from __future__ import annotations

from typing import Any

import pytest

from improvement.models import Trajectory
from tests import factories
from tests.pages.people import queries_of, signed_in, text_of

pytestmark = pytest.mark.django_db
LIST = "/trajectories/"


def shown(query: str = "", role: str = "engineer") -> list[int]:
    """The numbers of the trajectories on a page of the list."""
    answer = signed_in(role).get(LIST + query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["page"].rows]


def sealed() -> Trajectory:
    candidate = factories.make_candidate()
    block = factories.make_block(candidate, 1)
    return factories.make_trajectory("fail", block.tasks.get(), candidate)


def test_an_empty_list_says_what_to_do() -> None:
    page = text_of(signed_in("engineer").get(LIST))
    assert "No attempt yet" in page
    assert "python manage.py improve AGENT" in page


def test_it_lists_the_newest_first_with_their_verdicts() -> None:
    first, second = factories.make_trajectory("pass"), factories.make_trajectory("error")
    assert shown() == [second.pk, first.pk]


@pytest.mark.parametrize("role", ["", "reviewer", "engineer", "manager", "admin"])
def test_attempts_at_sealed_tasks_are_shown_to_nobody(role: str) -> None:
    attempt = sealed()
    assert shown(role=role) == []
    assert shown("?split=heldout&purpose=gate", role) == []
    assert shown(f"?task={attempt.task.key}", role) == []


def test_they_appear_once_their_block_is_burnt() -> None:
    candidate = factories.make_candidate()
    block = factories.make_block(candidate, 1, burnt=True)
    attempt = factories.make_trajectory("fail", block.tasks.get(), candidate)
    assert shown("?split=heldout") == [attempt.pk]


def test_each_filter_keeps_its_own() -> None:
    run = factories.make_run(factories.make_agent("till"), state="done")
    task = factories.make_task(run.agent, level=2, family="till-2", key="till-2-1")
    mine = factories.make_trajectory("fail", task, run=run, outcome="turns_exhausted")
    factories.make_trajectory("pass")
    name = f"till-{mine.candidate.number}"
    for query in (
        "agent=till",
        f"candidate={name}",
        f"candidate={mine.candidate_id}",
        "answer=fail",
        "family=till-2",
        "level=2",
        f"run={run.pk}",
        "outcome=turns_exhausted",
        "task=till-2-1",
        "split=train&agent=till&answer=fail",
    ):
        assert shown(f"?{query}") == [mine.pk], query
    assert shown("?purpose=dev") == []


@pytest.mark.parametrize(
    "query",
    [
        "level=two",
        "run=9999999999999",
        "candidate=till",
        "answer=maybe",
        "level=²",
        "agent=a%00b",
    ],
)
def test_a_value_that_cannot_be_right_finds_nothing_and_is_named(query: str) -> None:
    factories.make_trajectory()
    answer = signed_in("engineer").get(f"{LIST}?{query}")
    assert list(answer.context["page"].rows) == []
    assert "No trajectory can have" in text_of(answer)


def test_a_parameter_can_not_reach_another_column() -> None:
    trajectory = factories.make_trajectory()
    assert shown("?agent__block_secret__startswith=a&task__reference__total=9") == [trajectory.pk]


def test_a_number_in_the_search_field_opens_that_trajectory() -> None:
    answer = signed_in("engineer").get(f"{LIST}?task=%23123")
    assert answer["Location"] == "/trajectories/123/"


def test_it_pages_by_key_both_ways() -> None:
    task = factories.make_task()
    candidate = factories.make_candidate(task.agent, "base")
    made = [factories.make_trajectory("pass", task, candidate, steps=()) for _ in range(53)]
    keys = [trajectory.pk for trajectory in reversed(made)]
    client = signed_in("engineer")
    first = client.get(LIST).context["page"]
    assert [t.pk for t in first.rows] == keys[:50]
    second = client.get(f"{LIST}?before={first.older}").context["page"]
    assert [t.pk for t in second.rows] == keys[50:]
    third = client.get(f"{LIST}?after={second.newer}").context["page"]
    assert [t.pk for t in third.rows] == keys[:50]
    assert (first.newer, second.older, third.newer) == (None, None, None)


@pytest.mark.parametrize("key", ["x", "-1", "", "9" * 40, "1;DROP"])
def test_a_strange_key_means_the_newest_page(key: str) -> None:
    trajectory = factories.make_trajectory()
    assert shown(f"?before={key}") == [trajectory.pk]


def test_foreign_text_is_harmless() -> None:
    task = factories.make_task(prompt="<script>alert(1)</script>\x1b[2J\u202e")
    factories.make_trajectory(task=task, final_answer="<img src=x onerror=alert(1)>")
    page = text_of(signed_in("engineer").get(LIST + "?family=<svg onload=alert(1)>"))
    page += text_of(signed_in("engineer").get(LIST))
    for part in ("<script>alert", "<img src", "<svg onload", "\x1b", "\u202e"):
        assert part not in page


def test_its_queries_do_not_grow_with_rows(django_assert_max_num_queries: Any) -> None:
    client = signed_in("engineer")
    factories.make_trajectory()
    one = queries_of(client, LIST)
    for _ in range(5):
        factories.make_trajectory()
    assert queries_of(client, LIST) == one <= 7
    assert queries_of(client, LIST + "?answer=pass") == one + 1
