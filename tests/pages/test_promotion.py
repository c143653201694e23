"""Deployments: who becomes champion, who comes back, and what refuses."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from improvement import promotion
from improvement.models import AuditRow, Deployment
from tests import factories
from tests.pages import scenes

pytestmark = pytest.mark.django_db


def test_generation_zero_is_deployed_once() -> None:
    base = factories.make_candidate(state="base")
    promotion.deploy_first(base)
    assert base.agent.champion == base
    with pytest.raises(promotion.Overtaken):
        promotion.deploy_first(base)
    assert AuditRow.objects.filter(verb="initial").count() == 1


def test_only_an_approved_candidate_is_promoted() -> None:
    candidate = scenes.waiting()
    with pytest.raises(promotion.NotApproved, match="awaiting review"):
        promotion.promote(candidate, actor=None, reason="I like it")
    assert candidate.agent.champion == candidate.parent


def test_a_promotion_ends_the_old_row_and_leaves_an_audit_row() -> None:
    candidate = scenes.waiting(state="approved")
    old = candidate.agent.deployment
    assert old
    new = promotion.promote(candidate, actor=None, reason=" better ", expected=old.pk)
    old.refresh_from_db()
    assert old.ended_at
    assert candidate.agent.champion == candidate
    row = AuditRow.objects.get(object_type="deployment", object_id=str(new.pk))
    assert (row.verb, row.reason) == ("promotion", "better")
    assert row.before["champion"] == str(candidate.parent)


def test_a_promotion_needs_a_reason() -> None:
    candidate = scenes.waiting(state="approved")
    with pytest.raises(promotion.NoReason):
        promotion.promote(candidate, actor=None, reason="  ")


def test_a_promotion_refuses_when_something_else_serves_than_expected() -> None:
    candidate = scenes.waiting(state="approved")
    with pytest.raises(promotion.Overtaken, match="look again"):
        promotion.promote(candidate, actor=None, reason="better", expected=0)


def test_a_damaged_adapter_is_refused_and_the_champion_keeps_serving() -> None:
    candidate = scenes.waiting(state="approved")
    scenes.damage(candidate)
    with pytest.raises(promotion.Damaged) as refusal:
        promotion.promote(candidate, actor=None, reason="better")
    message = str(refusal.value)
    assert candidate.adapter_digest in message
    assert "Restore it from a backup" in message
    assert f"{candidate.parent} keeps serving" in message
    assert candidate.agent.champion == candidate.parent


def test_a_missing_adapter_is_refused() -> None:
    candidate = factories.make_candidate(state="approved")
    with pytest.raises(promotion.Damaged, match="missing"):
        promotion.promote(candidate, actor=None, reason="better")


def test_a_rollback_goes_back_one_version_at_a_time_and_never_forward() -> None:
    first = scenes.approved()
    agent, base = first.agent, first.parent
    second = scenes.approved(agent)
    assert promotion.roll_back(agent, actor=None, reason="worse").candidate == first
    assert promotion.roll_back(agent, actor=None, reason="worse").candidate == base
    with pytest.raises(promotion.NothingEarlier, match="nothing served before"):
        promotion.roll_back(agent, actor=None, reason="worse")
    forward = promotion.roll_back(agent, actor=None, reason="it was right", to=second)
    assert (forward.candidate, forward.kind) == (second, "rollback")
    assert promotion.roll_back(agent, actor=None, reason="no").candidate == first


def test_a_rollback_refuses_a_candidate_that_never_served() -> None:
    first = scenes.approved()
    never = scenes.waiting(first.agent)
    with pytest.raises(promotion.NothingEarlier, match="never served"):
        promotion.roll_back(first.agent, actor=None, reason="please", to=never)
    stranger = factories.make_champion()
    with pytest.raises(promotion.NothingEarlier, match="never served"):
        promotion.roll_back(first.agent, actor=None, reason="please", to=stranger)


def test_a_rollback_to_what_serves_is_refused() -> None:
    first = scenes.approved()
    with pytest.raises(promotion.AlreadyServing):
        promotion.roll_back(first.agent, actor=None, reason="again", to=first)


def test_a_rollback_to_a_damaged_version_is_refused() -> None:
    first = scenes.approved()
    second = scenes.approved(first.agent)
    scenes.damage(first)
    with pytest.raises(promotion.Damaged, match=f"{second} keeps serving"):
        promotion.roll_back(first.agent, actor=None, reason="worse")
    assert first.agent.champion == second


def test_the_command_rolls_back_and_names_what_it_does_not_know(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = scenes.approved()
    agent = first.agent
    with pytest.raises(CommandError, match="There is no agent named 'nobody'"):
        call_command("rollback", "nobody", reason="worse")
    with pytest.raises(CommandError, match="These did"):
        call_command("rollback", agent.name, to="till-99", reason="worse")
    call_command("rollback", agent.name, reason="worse")
    assert f"{first.parent} serves" in capsys.readouterr().out
    call_command("rollback", agent.name, to=str(first), reason="it was right")
    assert agent.champion == first
    with pytest.raises(CommandError, match="serves"):
        call_command("rollback", agent.name, to=str(first.number), reason="again")


def test_the_database_itself_allows_one_champion() -> None:
    base = factories.make_champion()
    with pytest.raises(IntegrityError), transaction.atomic():
        Deployment.objects.create(agent=base.agent, candidate=base, kind="rollback", reason="x")


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_roll_back_at_once_one_wins() -> None:
    first = scenes.approved()
    agent = first.agent
    second = scenes.approved(agent)
    for _ in range(10):
        current = agent.deployment
        assert current
        assert current.candidate == second
        answers = scenes.together(8, lambda seen=current.pk: _roll_back(agent.pk, seen))
        assert Counter(answers) == {"won": 1, "Overtaken": 7}
        assert agent.champion == first
        promotion.roll_back(agent, actor=None, reason="and back", to=second)
    assert agent.deployments.filter(ended_at=None).count() == 1
    assert AuditRow.objects.filter(verb="rollback", reason="race").count() == 10


def _roll_back(agent_id: int, seen: int) -> str:
    agent = factories.Agent.objects.get(pk=agent_id)
    try:
        promotion.roll_back(agent, actor=None, reason="race", expected=seen)
    except promotion.Refused as refusal:
        return type(refusal).__name__
    return "won"
