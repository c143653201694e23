"""A person's decision about a candidate: the act, its review and its audit row, or none of them.

The candidate's row is locked for the decision, so that of several people who decide at the same
moment one wins and the others are told who did.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from improvement.models import AuditRow, Candidate, CandidateStates, Run, RunStates
from improvement.promotion import NoReason, Refused, promote
from reviews.checks import OwnWork, approval_checks, four_eyes
from reviews.evidence import evidence_digest as digest_now
from reviews.evidence import gate_of
from reviews.models import Decisions, Review

STATE_AFTER = {
    Decisions.APPROVE: CandidateStates.APPROVED,
    Decisions.REJECT: CandidateStates.REJECTED,
    Decisions.CHANGES: CandidateStates.CHANGES,
}
VERBS = {Decisions.APPROVE: "approve", Decisions.REJECT: "reject", Decisions.CHANGES: "changes"}


class NotWaiting(Refused):
    """The candidate doesn't wait for a decision, or no longer."""


class StaleEvidence(Refused):
    """What the person saw is not what is there now."""


def approve(
    candidate: Candidate,
    *,
    reviewer: User,
    reason: str,
    evidence_digest: str,
    expected_version: int,
) -> Review:
    """Approve and deploy. Raises what the failed check names; then nothing was written."""
    with transaction.atomic():
        locked = _lock(candidate, reason, evidence_digest, expected_version)
        deployment = locked.agent.deployment
        for check in approval_checks(locked, reviewer, gate_of(locked), deployment):
            if not check.ok:
                raise check.refusal(check.says)
        review = _write(locked, Decisions.APPROVE, reviewer, reason, evidence_digest)
        expected = deployment.pk if deployment else None
        promote(locked, actor=reviewer, reason=reason, expected=expected)
    return review


def reject(
    candidate: Candidate,
    *,
    reviewer: User,
    reason: str,
    evidence_digest: str,
    expected_version: int,
) -> Review:
    """Refuse the candidate for good; the champion keeps serving."""
    with transaction.atomic():
        locked = _lock(candidate, reason, evidence_digest, expected_version)
        return _refuse(locked, Decisions.REJECT, reviewer, reason, evidence_digest)


def request_changes(
    candidate: Candidate,
    *,
    reviewer: User,
    reason: str,
    evidence_digest: str,
    expected_version: int,
) -> Review:
    """Send it back. A candidate never changes, so what comes back is a new one."""
    with transaction.atomic():
        locked = _lock(candidate, reason, evidence_digest, expected_version)
        return _refuse(locked, Decisions.CHANGES, reviewer, reason, evidence_digest)


def _lock(candidate: Candidate, reason: str, digest: str, version: int) -> Candidate:
    """The candidate's row, held until the transaction ends, if it still waits as it was seen."""
    if not reason.strip():
        raise NoReason("Say why: a decision keeps its reason for good.")
    rows = Candidate.objects.select_for_update(of=("self",), no_key=True)
    locked = rows.select_related("agent", "dataset", "run").get(pk=candidate.pk)
    if locked.state != CandidateStates.REVIEW:
        raise NotWaiting(_why_not_waiting(locked))
    if locked.run and locked.run.active:
        raise NotWaiting(f"{locked.run} is just ending. Try again in a moment.")
    if locked.version != version or digest_now(locked) != digest:
        raise StaleEvidence(
            f"The evidence for {locked} changed after you opened the page. Nothing was decided: "
            "read it again, your reason is kept below."
        )
    return locked


def _why_not_waiting(candidate: Candidate) -> str:
    review = candidate.reviews.select_related("reviewer").order_by("-id").first()
    if review is None:
        return f"{candidate} is {candidate.get_state_display()}: it doesn't wait for a decision."
    return (
        f"{candidate} was {review.get_decision_display()} by {review.reviewer.get_username()} "
        f"at {review.created_at:%H:%M on %-d %B %Y}. Nothing was changed."
    )


def _refuse(
    candidate: Candidate, decision: Decisions, reviewer: User, reason: str, digest: str
) -> Review:
    check = four_eyes(candidate, reviewer)
    if not check.ok:
        raise OwnWork(check.says)
    return _write(candidate, decision, reviewer, reason, digest)


def _write(
    candidate: Candidate, decision: Decisions, reviewer: User, reason: str, digest: str
) -> Review:
    """The review, the new state and the audit row. Holds the candidate's lock."""
    before = {"state": candidate.state, "version": candidate.version}
    review = Review.objects.create(
        candidate=candidate,
        reviewer=reviewer,
        decision=decision,
        reason=reason.strip(),
        evidence_digest=digest,
    )
    candidate.state = STATE_AFTER[decision]
    candidate.version += 1
    candidate.save(update_fields=["state", "version"])
    AuditRow.record(
        VERBS[decision],
        candidate,
        actor=reviewer,
        reason=reason.strip(),
        before=before,
        after={
            "state": candidate.state,
            "version": candidate.version,
            "evidence": digest,
        },
    )
    if candidate.run:
        _finish(candidate.run)
    return review


def _finish(run: Run) -> None:
    """The run waited for this decision; the next cycle starts once the decision is committed."""
    waiting = Run.objects.filter(pk=run.pk, state=RunStates.REVIEW)
    done = waiting.update(state=RunStates.DONE, finished_at=run.finished_at or timezone.now())
    if done and run.cycles_left > 0:
        transaction.on_commit(lambda: _launch_next(run), robust=True)


def _launch_next(run: Run) -> None:
    from improvement.jobs import launch

    launch.launch_next(run)
