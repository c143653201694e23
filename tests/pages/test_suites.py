"""The suites: what is counted, what is listed, and what nobody sees."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from improvement.ingest.tasks import Draft, Line
from improvement.jobs.importing import import_tasks
from improvement.models import Block, Suite, Task
from tests import factories
from tests.pages.people import queries_of, signed_in, text_of

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"
SUBJECTS = ["amber boats", "birch planks", "cedar chests", "dune grass", "ember stoves"]


def suite_of(*drafts: Draft, **fields: Any) -> Suite:
    suite = Suite.objects.create(**({"name": "harbour"} | fields))
    assert import_tasks(suite, [Line(n, draft) for n, draft in enumerate(drafts, 1)]).bad == 0
    return suite


def draft(number: int, split: Any = "train", **fields: Any) -> Draft:
    words = f"{number * 37} {SUBJECTS[number % 5]} pass pier {number}: how many are {number * 11}?"
    known = {"id": f"t-{number}", "prompt": words, "reference": {"answer": f"gold-{number}"}}
    return Draft(**({"split": split, "verifier": {"kind": "exact"}} | known | fields))


def page_of(suite: Suite, query: str = "", role: str = "engineer") -> str:
    answer = signed_in(role).get(reverse("suite", args=[suite.name]) + query)
    assert answer.status_code == 200
    return text_of(answer)


def keys(suite: Suite, query: str = "") -> list[str]:
    answer = signed_in("engineer").get(reverse("suite", args=[suite.name]) + query)
    return [task.key for task in answer.context["page"].rows]


def test_an_empty_list_says_what_to_do() -> None:
    assert "python manage.py import_tasks SUITE FILE" in text_of(signed_in().get(reverse("suites")))


def test_the_list_counts_splits_and_names_agents() -> None:
    suite = suite_of(draft(1), draft(2, "dev"), draft(3, "heldout", level=4))
    factories.make_agent("docker", suite=suite)
    answer = signed_in("manager").get(reverse("suites"))
    (row,) = answer.context["rows"]
    assert row.tally.splits == {"train": 1, "dev": 1, "heldout": 1}
    assert (row.tally.left, row.tally.low, row.tally.high, row.families) == (1, 1, 4, 1)
    assert [agent.name for agent in row.agents] == ["docker"]
    assert "docker" in text_of(answer)


def test_a_suite_says_what_is_in_it() -> None:
    suite = suite_of(
        draft(1, family="boats"), draft(2, family="crates", split="dev"),
        title="The harbour", verifier={"kind": "number"}, system_prompt="Count the boats.",
    )  # fmt: skip
    page = page_of(suite)
    for words in ("The harbour", "boats", "crates", "Count the boats.", "No agent uses it yet"):
        assert words in page
    assert "2 clusters" in page


@pytest.mark.parametrize("role", ["", "reviewer", "engineer", "manager", "admin"])
def test_sealed_tasks_are_counted_and_shown_to_nobody(role: str) -> None:
    suite = suite_of(draft(1), draft(2, "heldout"))
    secret = suite.tasks.get(key="t-2").prompt
    for query in ("", "?split=heldout", "?family=default"):
        page = page_of(suite, query, role)
        assert secret not in page
        assert "gold-2" not in page
        assert "t-2" not in page
    assert "1 of them not used by any gate" in page


def test_they_appear_once_their_block_is_burnt() -> None:
    suite = suite_of(draft(1), draft(2, "heldout"), draft(3, "heldout"))
    block = factories.make_block(factories.make_candidate())
    Task.objects.filter(key="t-2").update(block=block)
    assert keys(suite, "?split=heldout") == []
    Block.objects.update(burnt_at=timezone.now())
    assert keys(suite, "?split=heldout") == ["t-2"]
    assert "1 of them not used" in page_of(suite)


def test_what_a_file_brought_is_escaped() -> None:
    hostile = draft(1, id=HOSTILE, prompt=f"{HOSTILE} \x1b[31m how many?", family=HOSTILE)
    suite = suite_of(hostile, title=HOSTILE, system_prompt=HOSTILE)
    suite.verifier = {"kind": HOSTILE}
    suite.save()
    for url in (reverse("suites"), reverse("suite", args=[suite.name])):
        page = text_of(signed_in().get(url))
        assert HOSTILE not in page
        assert "\x1b" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?split=dev", ["t-2"]),
        ("?family=crates", ["t-3"]),
        ("?level=2", ["t-2"]),
        ("?split=train&level=1", ["t-3", "t-1"]),
        ("?split=test", []),
        ("?level=x", []),
        ("?level=99999999999", []),
        ("?family=%00", []),
        ("?suite=1&id=1", ["t-3", "t-2", "t-1"]),
    ],
)
def test_each_filter_keeps_its_own(query: str, found: list[str]) -> None:
    suite = suite_of(draft(1), draft(2, "dev", level=2), draft(3, family="crates"))
    suite_of(draft(4), name="another")
    assert keys(suite, query) == found


def test_a_value_that_can_not_be_is_named() -> None:
    assert "No task can have split “test”" in page_of(suite_of(draft(1)), "?split=test")


def test_pages_go_by_key() -> None:
    suite = suite_of(*(draft(n) for n in range(60)))
    client = signed_in()
    first = client.get(reverse("suite", args=[suite.name])).context["page"]
    second = keys(suite, f"?before={first.older}")
    assert len(first.rows) == 50
    assert len(second) == suite.tasks.count() - 50
    assert not {task.key for task in first.rows} & set(second)


def test_one_large_cluster_is_said() -> None:
    same = "the same long question about forty amber boats at the old pier of the harbour"
    suite = suite_of(*(draft(n, prompt=f"{same}, part {'x' * n}", split="") for n in range(12)))
    assert "12 of 12 tasks are near-duplicates" in page_of(suite)


def test_the_number_of_queries_does_not_grow() -> None:
    suite_of(draft(1))
    client = signed_in()
    before = queries_of(client, reverse("suites"))
    few = queries_of(client, reverse("suite", args=["harbour"]))
    big = suite_of(*(draft(n, family=f"f{n}", split="") for n in range(40)), name="big")
    factories.make_agent(suite=big)
    assert queries_of(client, reverse("suites")) == before
    assert queries_of(client, reverse("suite", args=["big"])) <= few + 1


def test_an_unknown_suite_is_not_found() -> None:
    assert signed_in().get(reverse("suite", args=["nonesuch"])).status_code == 404
