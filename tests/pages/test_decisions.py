"""Decisions: who may decide on what, and what is written."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest

from improvement.models import AuditRow, Candidate, JunkReport, Run
from improvement.promotion import Damaged, NoReason, Overtaken, Refused
from reviews import brakes, checks, decisions
from reviews.models import Review
from tests import factories
from tests.pages import scenes

pytestmark = pytest.mark.django_db
ALL = [decisions.approve, decisions.reject, decisions.request_changes]


def test_an_approval_promotes_and_is_bound_to_what_was_seen() -> None:
    candidate = scenes.waiting()
    ana = factories.make_user("reviewer", "ana")
    seen = scenes.seen(candidate)
    review = decisions.approve(candidate, reviewer=ana, reason=" better ", **seen)
    candidate.refresh_from_db()
    assert (candidate.state, candidate.version) == ("approved", 1)
    assert candidate.agent.champion == candidate
    assert (review.reason, review.evidence_digest) == ("better", seen["evidence_digest"])
    assert candidate.run
    assert Run.objects.get(pk=candidate.run.pk).state == "done"
    row = AuditRow.objects.get(verb="approve")
    assert (row.actor, row.before["state"], row.after["state"]) == (ana, "review", "approved")
    assert row.after["evidence"] == seen["evidence_digest"]


@pytest.mark.parametrize(
    ("act", "state"), [(decisions.reject, "rejected"), (decisions.request_changes, "changes")]
)
def test_without_approval_the_champion_keeps_serving(act: Any, state: str) -> None:
    candidate = scenes.waiting()
    act(candidate, reviewer=factories.make_user("reviewer"), reason="no", **scenes.seen(candidate))
    candidate.refresh_from_db()
    assert candidate.state == state
    assert candidate.agent.champion == candidate.parent
    assert candidate.run
    assert Run.objects.get(pk=candidate.run.pk).state == "done"


@pytest.mark.parametrize("act", ALL)
def test_a_decision_needs_a_reason(act: Any) -> None:
    candidate = scenes.waiting()
    refused(act, candidate, NoReason, "Say why", reason=" \n")


@pytest.mark.parametrize("act", ALL)
@pytest.mark.parametrize("role", ["proposer", "launcher"])
def test_the_author_does_not_decide(act: Any, role: str) -> None:
    author = factories.make_user("reviewer")
    candidate = scenes.waiting(proposer=author if role == "proposer" else None)
    if role == "launcher":
        Run.objects.filter(candidate=candidate).update(launched_by=author)
    refused(act, candidate, checks.OwnWork, "another person must decide", reviewer=author)


@pytest.mark.parametrize("act", ALL)
def test_a_second_decision_is_told_who_decided(act: Any) -> None:
    candidate = scenes.waiting()
    bo = factories.make_user("reviewer", "bo")
    decisions.reject(candidate, reviewer=bo, reason="no", **scenes.seen(candidate))
    refused(act, candidate, decisions.NotWaiting, "rejected by bo")


@pytest.mark.parametrize("act", ALL)
@pytest.mark.parametrize("state", ["trained", "frozen", "not_passed"])
def test_only_a_waiting_candidate_is_decided_on(act: Any, state: str) -> None:
    refused(act, scenes.waiting(state=state), decisions.NotWaiting, "doesn't wait")


@pytest.mark.parametrize("act", ALL)
def test_a_run_that_is_still_ending_is_waited_for(act: Any) -> None:
    candidate = scenes.waiting()
    Run.objects.filter(candidate=candidate).update(state="running")
    refused(act, candidate, decisions.NotWaiting, "Try again in a moment")


@pytest.mark.parametrize("act", ALL)
def test_new_evidence_voids_a_decision_under_way(act: Any) -> None:
    candidate = scenes.waiting()
    seen = scenes.seen(candidate)
    factories.make_evaluation(candidate, kind="screen")
    refused(act, candidate, decisions.StaleEvidence, "changed after you opened", seen=seen)
    seen = scenes.seen(candidate) | {"expected_version": 7}
    refused(act, candidate, decisions.StaleEvidence, "changed after you opened", seen=seen)


@pytest.mark.parametrize("answer", ["fail", "insufficient"])
def test_a_gate_that_is_not_passed_cannot_be_approved(answer: str) -> None:
    refused(decisions.approve, scenes.waiting(answer=answer), checks.GateNotPassed, "the candidate")


def test_a_candidate_without_a_gate_cannot_be_approved() -> None:
    candidate = factories.make_candidate(factories.make_champion().agent)
    refused(decisions.approve, candidate, checks.GateNotPassed, "Not measured yet")


def test_a_comparison_with_a_former_champion_cannot_be_approved() -> None:
    candidate = scenes.waiting()
    other = scenes.approved(candidate.agent)
    refused(decisions.approve, candidate, Overtaken, f"{other} serves now")


def test_a_damaged_adapter_cannot_be_approved() -> None:
    candidate = scenes.waiting()
    scenes.damage(candidate)
    refused(decisions.approve, candidate, Damaged, "Restore it from a backup")


def test_a_contaminated_dataset_cannot_be_approved() -> None:
    run = factories.make_run(state="review")
    dataset = factories.make_dataset(run, contaminated=2)
    candidate = scenes.waiting(run.agent, dataset=dataset)
    refused(decisions.approve, candidate, checks.Contaminated, "2 training examples")


def test_a_verifier_that_has_lost_its_licence_stops_an_approval() -> None:
    candidate = scenes.waiting()
    verifier = factories.make_verifier()
    defect = {"kind": "empty", "ok": False, "reason": "nothing passed as an answer"}
    JunkReport.objects.create(
        agent=candidate.agent, verifier=verifier, passed=False, rows=[defect]
    )
    refused(decisions.approve, candidate, checks.Unlicensed, "nothing passed as an answer")
    ana = factories.make_user("reviewer")
    decisions.reject(candidate, reviewer=ana, reason="not proven", **scenes.seen(candidate))
    assert candidate.agent.champion != candidate


def test_a_gate_without_a_verdict_of_any_verifier_can_not_be_approved() -> None:
    gate = factories.make_evaluation(items=[])
    assert not checks.verifiers_licensed(gate.candidate, gate).ok
    assert not checks.verifiers_licensed(gate.candidate, None).ok


def test_an_open_red_warning_stops_an_approval_until_a_manager_releases_the_hold() -> None:
    candidate = scenes.waiting()
    warning = factories.make_warning(candidate, "red")
    hold = factories.make_hold(candidate.agent, warning)
    mia = factories.make_user("manager")
    refused(decisions.approve, candidate, checks.OpenWarning, "Acknowledge it")
    brakes.acknowledge(warning, actor=mia, reason="seen")
    refused(decisions.approve, candidate, checks.OpenWarning, "A manager can release")
    brakes.release(hold, actor=mia, reason="an outlier")
    ana = factories.make_user("reviewer")
    decisions.approve(candidate, reviewer=ana, reason="fine", **scenes.seen(candidate))
    assert candidate.agent.champion == candidate


def test_the_next_cycle_starts_after_a_decision(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from improvement.jobs import launch

    launched: list[Run] = []
    monkeypatch.setattr(launch, "launch_next", launched.append)
    candidate, ana = scenes.waiting(), factories.make_user("reviewer")
    Run.objects.filter(candidate=candidate).update(cycles_left=2)
    with django_capture_on_commit_callbacks(execute=True):
        decisions.reject(candidate, reviewer=ana, reason="no", **scenes.seen(candidate))
    assert launched == [candidate.run]


def test_no_cycle_follows_a_run_that_was_cancelled_at_its_very_end(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from improvement.jobs import launch

    launched: list[Run] = []
    monkeypatch.setattr(launch, "launch_next", launched.append)
    candidate, ana = scenes.waiting(), factories.make_user("reviewer")
    Run.objects.filter(candidate=candidate).update(cycles_left=2, state="cancelled")
    with django_capture_on_commit_callbacks(execute=True):
        decisions.reject(candidate, reviewer=ana, reason="no", **scenes.seen(candidate))
    assert launched == []


def test_an_amber_warning_does_not_stop_an_approval() -> None:
    candidate = scenes.waiting()
    factories.make_warning(candidate)
    ana = factories.make_user("reviewer")
    decisions.approve(candidate, reviewer=ana, reason="fine", **scenes.seen(candidate))
    assert candidate.agent.champion == candidate


def test_the_evidence_digest_covers_every_part() -> None:
    candidate = scenes.waiting()
    parts = decisions_parts(candidate)
    assert set(parts) == {"bundle", "adapter", "dataset", "evaluations", "verifiers"}
    assert all(parts.values())


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_decide_at_once_one_wins() -> None:
    agent = factories.make_champion().agent
    people = [factories.make_user("reviewer") for _ in range(8)]
    for _ in range(20):
        candidate = scenes.waiting(agent, items=[(False, True)])
        seen, turns = scenes.seen(candidate), itertools.count()

        def decide(candidate: Candidate = candidate, seen: Any = seen, turns: Any = turns) -> str:
            turn = next(turns)
            act = decisions.approve if turn % 2 else decisions.reject
            try:
                act(candidate, reviewer=people[turn], reason="race", **seen)
            except Refused as refusal:
                return type(refusal).__name__
            return "won"

        answers = scenes.together(8, decide)
        assert Counter(answers) == {"won": 1, "NotWaiting": 7}
        candidate.refresh_from_db()
        assert candidate.reviews.count() == 1
        rows = AuditRow.objects.filter(object_type="candidate", object_id=str(candidate.pk))
        assert rows.count() == 1
        champion = candidate if candidate.state == "approved" else candidate.parent
        assert agent.champion == champion
        assert agent.deployments.filter(ended_at=None).count() == 1


def refused(
    act: Any,
    candidate: Candidate,
    refusal: type[Refused],
    words: str,
    *,
    seen: Any = None,
    reviewer: Any = None,
    reason: str = "because",
) -> None:
    """`act` raises `refusal` with `words`, and nothing was written."""
    candidate.refresh_from_db()
    before = candidate.state, candidate.agent.champion, Review.objects.count()
    audit = AuditRow.objects.count()
    with pytest.raises(refusal, match=words):
        act(
            candidate,
            reviewer=reviewer or factories.make_user("reviewer"),
            reason=reason,
            **(seen or scenes.seen(candidate)),
        )
    candidate.refresh_from_db()
    assert (candidate.state, candidate.agent.champion, Review.objects.count()) == before
    assert AuditRow.objects.count() == audit


def decisions_parts(candidate: Candidate) -> dict[str, object]:
    from reviews.evidence import evidence_parts

    return evidence_parts(candidate)
