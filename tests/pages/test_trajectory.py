"""A trajectory, step by step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from improvement.models import Step, Trajectory
from tests import factories
from tests.pages.people import queries_of, signed_in, text_of

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e<img src=x onerror=alert(1)>"


def page_of(trajectory: Trajectory, more: str = "", role: str = "engineer") -> str:
    answer = signed_in(role).get(f"/trajectories/{trajectory.pk}/{more}")
    assert answer.status_code == 200
    return text_of(answer)


def add_step(trajectory: Trajectory, index: int, kind: str, **fields: Any) -> Step:
    return Step.objects.create(trajectory=trajectory, index=index, kind=kind, **fields)


def test_it_shows_the_task_the_steps_and_the_facts() -> None:
    trajectory = factories.make_trajectory(sampling={"temperature": 0.7}, seed=4711)
    page = page_of(trajectory)
    for words in ("customer wants 3 lamp", "answer 21", "0.7", "4711", "goal-state 1", "840 ms"):
        assert words in page
    for index in range(6):
        assert f'id="step-{index}"' in page


def test_the_evidence_stands_in_the_step_that_it_cites() -> None:
    trajectory = factories.make_trajectory("fail")
    page = page_of(trajectory)
    step, _, rest = page.partition('id="step-5"')[2].partition("</li>")
    assert "expected" in step
    assert "expected" not in rest.partition("<aside")[0]
    assert 'href="#step-5"' in page


def test_evidence_that_cites_no_step_is_shown_all_the_same() -> None:
    trajectory = factories.make_trajectory("unverified")
    factories.make_verdict(trajectory, "fail", evidence={"expected": "a cat", "step": "17"})
    assert "a cat" in page_of(trajectory)


def test_a_broken_verifier_is_said_to_be_no_fail() -> None:
    page = page_of(factories.make_trajectory("error"))
    assert "counts neither as a pass nor as a fail" in page


def test_a_verdict_that_is_left_to_a_person_is_not_called_broken() -> None:
    trajectory = factories.make_trajectory("unverified")
    factories.make_verdict(trajectory, "error", evidence={"needs_person": True})
    page = page_of(trajectory)
    assert "leaves this one to a person" in page
    assert "broke" not in page.partition('class="evidence')[2].partition("<aside")[0]


def test_an_unjudged_attempt_says_so() -> None:
    assert "Not judged yet" in page_of(factories.make_trajectory("unverified"))


def test_what_every_attempt_is_given_is_folded_away_from_what_it_did() -> None:
    steps = (("system", "be good"), ("user", "example wish"))
    trajectory = factories.make_trajectory(steps=steps)
    add_step(trajectory, 2, "assistant", content="example reply")
    add_step(trajectory, 3, "user", content="the wish")
    add_step(trajectory, 4, "tool_call", tool="price", arguments="cup", sampled=True)
    read = signed_in("engineer").get(f"/trajectories/{trajectory.pk}/").context["transcript"]
    assert [s.row.index for s in read.given] == [0, 1, 2]
    assert read.wish.text == "the wish"
    assert [s.row.index for s in read.done] == [4]


def test_an_environment_that_broke_is_named_with_the_remedy() -> None:
    error = "shop.Till.act raised KeyError: 'lamp'"
    page = page_of(factories.make_trajectory("error", outcome="environment_error", error=error))
    assert "shop.Till.act raised KeyError" in page
    assert "Fix the environment class" in page


def test_hostile_text_is_harmless_wherever_it_stands() -> None:
    task = factories.make_task(prompt=HOSTILE)
    trajectory = factories.make_trajectory(
        "unverified", task, final_answer=HOSTILE, error=HOSTILE, sampling={HOSTILE: HOSTILE}
    )
    for index, kind in enumerate(("assistant", "reasoning", "tool_call", "tool_result"), 10):
        fields = {"content": HOSTILE, "tool": HOSTILE[:100], "arguments": HOSTILE, "error": HOSTILE}
        add_step(trajectory, index, kind, sampled=True, **fields)
    factories.make_verdict(trajectory, "fail", evidence={HOSTILE: HOSTILE, "step": 10})
    for page in (page_of(trajectory), page_of(trajectory, "raw/")):
        for part in ("<script>alert", "<img src", "\x1b", "\u202e"):
            assert part not in page
    assert "hidden characters removed" in page_of(trajectory)


def test_very_long_text_is_cut_and_its_rest_is_in_the_raw_record() -> None:
    trajectory = factories.make_trajectory(steps=(("user", "x"), ("assistant", "y" * 30_000)))
    page = page_of(trajectory)
    assert "y" * 20_000 in page
    assert "y" * 20_001 not in page
    assert "y" * 30_000 in page_of(trajectory, "raw/")


def test_the_raw_record_is_json() -> None:
    trajectory = factories.make_trajectory()
    answer = signed_in("manager").get(f"/trajectories/{trajectory.pk}/raw/")
    record = json.loads(json.dumps(answer.context["record"]))
    assert record["task"]["prompt"] == trajectory.task.prompt
    assert len(record["steps"]) == 6
    assert record["verdicts"][0]["answer"] == "pass"


def test_other_attempts_at_the_task_stand_beside_it() -> None:
    task = factories.make_task()
    candidate = factories.make_candidate(task.agent, "base")
    one, other = (factories.make_trajectory(a, task, candidate) for a in ("pass", "fail"))
    page = page_of(one)
    assert f"/trajectories/{other.pk}/" in page


@pytest.mark.parametrize("role", ["", "reviewer", "engineer", "manager", "admin"])
@pytest.mark.parametrize("more", ["", "raw/"])
def test_an_attempt_at_a_sealed_task_is_refused_to_everybody(role: str, more: str) -> None:
    candidate = factories.make_candidate()
    block = factories.make_block(candidate, 1)
    trajectory = factories.make_trajectory("fail", block.tasks.get(), candidate)
    answer = signed_in(role).get(f"/trajectories/{trajectory.pk}/{more}")
    assert answer.status_code == 403
    assert "This attempt is sealed" in text_of(answer)
    assert trajectory.task.prompt not in text_of(answer)


def test_it_takes_few_queries_however_many_steps_and_siblings() -> None:
    task = factories.make_task()
    candidate = factories.make_candidate(task.agent, "base")
    trajectory = factories.make_trajectory("pass", task, candidate)
    client = signed_in("engineer")
    one = queries_of(client, f"/trajectories/{trajectory.pk}/")
    for _ in range(4):
        factories.make_trajectory("fail", task, candidate)
    for index in range(6, 16):
        add_step(trajectory, index, "assistant", content="more", sampled=True)
    assert queries_of(client, f"/trajectories/{trajectory.pk}/") == one <= 9
