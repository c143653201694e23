"""Which attempts people are asked to label."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from improvement import labelling
from improvement.labelling import Key
from improvement.models import Agent, LabelItem, Trajectory, Verifier
from tests import factories, labelled
from tests.labelled import add_verdict, judge_verifier, judged

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    return factories.make_agent()


@pytest.fixture
def verifier() -> Verifier:
    return factories.make_verifier()


def drawn(agent: Agent, verifier: Verifier) -> list[LabelItem]:
    return list(LabelItem.objects.filter(agent=agent, verifier=verifier).order_by("pk"))


def test_accepts_are_drawn_more_and_the_weights_take_it_out(
    agent: Agent, verifier: Verifier
) -> None:
    judged(["pass"] * 12 + ["fail"] * 28, agent, verifier)
    assert labelling.draw(agent, verifier, 10) == 10
    items = drawn(agent, verifier)
    assert Counter(item.answer for item in items) == {"pass": 6, "fail": 4}
    weights = {answer: sum(i.weight for i in items if i.answer == answer)
               for answer in ("pass", "fail")}  # fmt: skip
    assert weights == pytest.approx({"pass": 12, "fail": 28})


def test_a_second_draw_takes_others_and_weighs_all_of_them_anew(
    agent: Agent, verifier: Verifier
) -> None:
    judged(["pass"] * 12 + ["fail"] * 8, agent, verifier)
    assert labelling.draw(agent, verifier, 10) == 10
    assert labelling.draw(agent, verifier, 100) == 10
    assert labelling.draw(agent, verifier, 100) == 0
    items = drawn(agent, verifier)
    assert len({item.trajectory_id for item in items}) == 20
    assert {item.weight for item in items} == {1.0}


def test_one_in_ten_gets_a_second_label(agent: Agent, verifier: Verifier) -> None:
    judged(["pass"] * 40, agent, verifier)
    for _ in range(4):
        labelling.draw(agent, verifier, 10)
    assert sum(item.second for item in drawn(agent, verifier)) == 4


def test_every_family_and_every_disagreement_is_drawn(agent: Agent, verifier: Verifier) -> None:
    judged(["pass"] * 12, agent, verifier, family="big")
    judged(["pass"], agent, verifier, family="small")
    contested = judged(["pass"], agent, verifier, family="big")[0]
    add_verdict(contested, judge_verifier(), "fail")
    labelling.draw(agent, verifier, 3)
    items = drawn(agent, verifier)
    assert {item.family for item in items} == {"big", "small"}
    assert [i.trajectory_id for i in items if i.disagreement] == [contested.pk]


def test_a_verdict_that_another_verifier_could_not_give_is_no_disagreement(
    agent: Agent, verifier: Verifier
) -> None:
    (attempt,) = judged(["pass"], agent, verifier)
    add_verdict(attempt, judge_verifier(), "error")
    labelling.draw(agent, verifier)
    assert not drawn(agent, verifier)[0].disagreement


def test_the_same_seed_draws_the_same_attempts(agent: Agent, verifier: Verifier) -> None:
    judged(["pass"] * 20, agent, verifier)
    picks = []
    for seed in (1, 1, 2):
        labelling.draw(agent, verifier, 5, seed=seed)
        picks.append([item.trajectory_id for item in drawn(agent, verifier)])
        LabelItem.objects.all().delete()
    assert picks[0] == picks[1] != picks[2]


def test_the_order_of_the_queue_does_not_tell_the_verdicts(
    agent: Agent, verifier: Verifier
) -> None:
    judged(["pass"] * 20 + ["fail"] * 20, agent, verifier)
    labelling.draw(agent, verifier, 30)
    answers = [item.answer for item in drawn(agent, verifier)]
    assert answers not in (sorted(answers), sorted(answers, reverse=True))


def test_sealed_attempts_are_never_drawn_and_opened_ones_are(verifier: Verifier) -> None:
    candidate = factories.make_candidate()
    for burnt in (False, True):
        block = factories.make_block(candidate, 3, burnt=burnt)
        for task in block.tasks.all():
            add_verdict(factories.make_trajectory("unverified", task, candidate), verifier, "pass")
    assert labelling.draw(candidate.agent, verifier) == 3
    opened = LabelItem.objects.values_list("trajectory__task__block__burnt_at", flat=True)
    assert None not in set(opened)


def test_another_agents_attempts_and_broken_verdicts_are_left_alone(
    agent: Agent, verifier: Verifier
) -> None:
    judged(["pass"] * 3, factories.make_agent(), verifier)
    judged(["error"] * 3, agent, verifier)
    assert labelling.draw(agent, verifier) == 0


def test_a_verdict_left_to_a_person_becomes_an_item_that_decides(
    agent: Agent, verifier: Verifier
) -> None:
    judged(["pass"] * 3, agent, verifier)
    task = factories.make_task(agent)
    attempt = factories.make_trajectory("unverified", task, agent.champion)
    add_verdict(attempt, verifier, "error", needs_person=True)
    labelling.draw(agent, verifier)
    first, *rest = drawn(agent, verifier)
    assert (first.trajectory_id, first.decides, first.answer) == (attempt.pk, True, "error")
    assert len(rest) == 3
    assert not any(item.decides or item.answer == "error" for item in rest)


def test_a_judges_attempts_since_the_champion_come_first(agent: Agent) -> None:
    judge = judge_verifier()
    old = judged(["pass"] * 6, agent, judge)
    Trajectory.objects.filter(pk__in=[t.pk for t in old]).update(
        created_at=timezone.now() - timedelta(days=2)
    )
    fresh = judged(["pass"] * 3, agent, judge)
    labelling.draw(agent, judge, 3)
    assert {i.trajectory_id for i in drawn(agent, judge)} == {t.pk for t in fresh}


def test_only_the_newest_verdicts_are_drawn_from(
    agent: Agent, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelling, "NEWEST", 4)
    newest = judged(["pass"] * 9, agent, verifier)[-4:]
    assert labelling.draw(agent, verifier) == 4
    assert {i.trajectory_id for i in drawn(agent, verifier)} == {t.pk for t in newest}


def test_opening_the_queue_draws_only_when_few_wait(agent: Agent, verifier: Verifier) -> None:
    judged(["pass"] * 60, agent, verifier)
    assert labelling.draw_if_few(agent, verifier) == 30
    assert labelling.draw_if_few(agent, verifier) == 0
    for item in drawn(agent, verifier)[:25]:
        labelled.say(item, "right")
    assert labelling.draw_if_few(agent, verifier) == 30, "the second labels that wait count not"


def test_the_number_of_queries_does_not_grow_with_the_verdicts(
    agent: Agent, verifier: Verifier, django_assert_max_num_queries: Any
) -> None:
    judged(["pass", "fail"] * 30, agent, verifier)
    with django_assert_max_num_queries(14):
        labelling.draw(agent, verifier)


@given(
    st.dictionaries(
        st.builds(Key, st.sampled_from(["pass", "fail"]), st.sampled_from("abcd"), st.booleans()),
        st.integers(0, 50),
    ),
    st.integers(0, 60),
)
def test_an_allocation_never_asks_for_more_than_there_is_and_uses_what_there_is(
    available: dict[Key, int], count: int
) -> None:
    plan = labelling.allocate(available, count)
    assert all(0 <= plan[key] <= available[key] for key in plan)
    assert sum(plan.values()) == min(count, sum(available.values()))
