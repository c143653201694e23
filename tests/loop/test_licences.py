"""The licence of a verifier: granted by a junk battery or by labels, bound to its version."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from improvement.jobs.context import StageFailed
from improvement.jobs.licensing import require
from improvement.licences import licence_of, note_licence
from improvement.models import (
    Agent,
    Deployment,
    JunkReport,
    Label,
    LabelItem,
    LicenceEvent,
    Trajectory,
    Verifier,
)
from tests.factories import make_agent, make_candidate, make_task, make_trajectory, make_user

pytestmark = pytest.mark.django_db
JUNK = {"kind": "empty", "ok": False, "reason": "the empty answer passed"}


@pytest.fixture
def agent() -> Agent:
    return make_agent(recipe={"licence_labels": 10, "licence_precision": 0.7})


@pytest.fixture
def verifier() -> Verifier:
    return Verifier.objects.create(name="exact", version="1", digest="d" * 64)


@pytest.fixture
def judge() -> Verifier:
    return Verifier.objects.create(name="judge", version="1", digest="j" * 64, deterministic=False)


def battery(agent: Agent, verifier: Verifier, *, passed: bool = True) -> None:
    rows = [] if passed else [JUNK]
    JunkReport.objects.create(agent=agent, verifier=verifier, passed=passed, rows=rows)


def label(agent: Agent, verifier: Verifier, *answers: str, on: str = "pass") -> list[LabelItem]:
    """One labelled attempt for each answer; the verifier had answered `on`."""
    candidate = agent.candidates.first() or make_candidate(agent, state="base")
    person, items = make_user("reviewer"), []
    for answer in answers:
        attempt = make_trajectory("unverified", make_task(agent), candidate)
        item = LabelItem.objects.create(
            agent=agent, verifier=verifier, trajectory=attempt, answer=on, family="till-1"
        )
        Label.objects.create(item=item, labeller=person, answer=answer)
        items.append(item)
    return items


def test_a_version_that_no_junk_was_tried_on_has_none(agent: Agent, verifier: Verifier) -> None:
    licence = licence_of(agent, verifier)
    assert not licence.valid
    assert "has not been run" in licence.reason


def test_a_passed_battery_licenses_a_deterministic_verifier(
    agent: Agent, verifier: Verifier
) -> None:
    battery(agent, verifier)
    assert licence_of(agent, verifier).valid


def test_a_failed_battery_names_its_first_defect(agent: Agent, verifier: Verifier) -> None:
    battery(agent, verifier, passed=False)
    licence = licence_of(agent, verifier)
    assert not licence.valid
    assert "the empty answer passed" in licence.reason


def test_a_changed_version_starts_without(agent: Agent, verifier: Verifier) -> None:
    battery(agent, verifier)
    changed = Verifier.objects.create(name="exact", version="2", digest="e" * 64)
    assert not licence_of(agent, changed).valid


def test_another_agents_battery_does_not_count(agent: Agent, verifier: Verifier) -> None:
    battery(make_agent(), verifier)
    assert not licence_of(agent, verifier).valid


def test_a_judge_needs_labels_and_says_how_many(agent: Agent, judge: Verifier) -> None:
    battery(agent, judge)
    label(agent, judge, *["right"] * 6)
    licence = licence_of(agent, judge)
    assert not licence.valid
    assert licence.needed == 4
    assert "Label 4 more" in licence.reason


def test_enough_right_labels_license_a_judge(agent: Agent, judge: Verifier) -> None:
    battery(agent, judge)
    label(agent, judge, *["right"] * 10)
    licence = licence_of(agent, judge)
    assert licence.valid
    assert licence.low == pytest.approx(0.787, abs=0.001)  # Wilson, 10 of 10, one-sided 95 %


def test_wrong_accepts_withdraw_the_licence(agent: Agent, verifier: Verifier) -> None:
    battery(agent, verifier)
    label(agent, verifier, *["right"] * 7, *["wrong"] * 3)
    licence = licence_of(agent, verifier)
    assert not licence.valid
    assert "7 of 10" in licence.reason


def test_a_few_damning_labels_withdraw_it_early(agent: Agent, verifier: Verifier) -> None:
    battery(agent, verifier)
    label(agent, verifier, *["wrong"] * 4)
    assert not licence_of(agent, verifier).valid


def test_unsure_labels_and_labels_on_rejects_do_not_count(agent: Agent, judge: Verifier) -> None:
    battery(agent, judge)
    label(agent, judge, *["unsure"] * 5)
    label(agent, judge, *["right"] * 5, on="fail")
    assert licence_of(agent, judge).labels == 0


def test_two_labels_that_disagree_count_as_wrong(agent: Agent, judge: Verifier) -> None:
    battery(agent, judge)
    items = label(agent, judge, *["right"] * 10)
    Label.objects.create(item=items[0], labeller=make_user("reviewer"), answer="wrong")
    licence = licence_of(agent, judge)
    assert "9 of 10" in licence.reason


def test_a_promotion_asks_for_fresh_labels_of_a_judge_only(
    agent: Agent, judge: Verifier, verifier: Verifier
) -> None:
    for each in (judge, verifier):
        battery(agent, each)
        label(agent, each, *["right"] * 10)
    Trajectory.objects.update(created_at=timezone.now() - timedelta(days=1))
    Deployment.objects.create(
        agent=agent, candidate=agent.candidates.first(), kind="initial", reason="first"
    )
    assert licence_of(agent, judge).labels == 0
    assert not licence_of(agent, judge).valid
    assert licence_of(agent, verifier).valid


def test_changes_are_kept_as_history_once(agent: Agent, verifier: Verifier) -> None:
    note_licence(agent, verifier)
    note_licence(agent, verifier)
    battery(agent, verifier)
    note_licence(agent, verifier)
    events = LicenceEvent.objects.order_by("id").values_list("granted", flat=True)
    assert list(events) == [False, True]


def test_a_stage_that_needs_one_stops_with_the_reason(agent: Agent, judge: Verifier) -> None:
    battery(agent, judge)
    with pytest.raises(StageFailed, match=r"No licence to gate for agent .*Label 10 more"):
        require(agent, [judge], "gate")


def test_a_person_needs_no_licence(agent: Agent) -> None:
    person = Verifier.objects.create(
        name="person", version="1", digest="p" * 64, deterministic=False
    )
    assert licence_of(agent, person).valid


def test_the_threshold_is_the_agents_own(verifier: Verifier) -> None:
    strict: dict[str, Any] = {"licence_labels": 10, "licence_precision": 0.95}
    agent = make_agent(recipe=strict)
    battery(agent, verifier)
    label(agent, verifier, *["right"] * 10)
    assert not licence_of(agent, verifier).valid
