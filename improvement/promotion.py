"""Which candidate serves: the only writers of Deployment.

Every verb locks the agent's row, so that of several people who press at the same moment one wins
and the others are told who did. The old row is ended and the new one added together with its
audit row, or not at all: an agent is never without a champion and never has two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from improvement.models import (
    Agent,
    AuditRow,
    Candidate,
    CandidateStates,
    Deployment,
    DeploymentKinds,
)
from improvement.store import ArtefactDamaged, Store

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Refused(Exception):
    """An act that can't be done now. The message says why, and what to do."""


class NoReason(Refused):
    """No reason was given."""


class NotApproved(Refused):
    """Nobody approved the candidate."""


class Overtaken(Refused):
    """Somebody else changed what serves since the person looked."""


class AlreadyServing(Refused):
    """The candidate is the champion."""


class NothingEarlier(Refused):
    """No earlier candidate, or one that never served."""


class Damaged(Refused):
    """The candidate's adapter is not what was stored."""


def promote(
    candidate: Candidate, *, actor: User | None, reason: str, expected: int | None = None
) -> Deployment:
    """Make an approved candidate champion. `expected` is the id of the deployment that the
    candidate was measured against or that the person saw; another one in force is Overtaken."""
    if candidate.state != CandidateStates.APPROVED:
        raise NotApproved(
            f"{candidate} is {candidate.get_state_display()}: only an approved candidate can "
            "become champion. Decide on its review page."
        )
    with transaction.atomic():
        current = _lock(candidate.agent, expected)
        return _deploy(candidate, DeploymentKinds.PROMOTION, current, actor, reason)


def deploy_first(candidate: Candidate, actor: User | None = None) -> Deployment:
    """Make generation 0 the first champion of its agent."""
    with transaction.atomic():
        current = _lock(candidate.agent, None)
        if current:
            raise Overtaken(f"{current.candidate} serves {candidate.agent} already.")
        reason = "first deployment: the base that every later candidate is compared with"
        return _deploy(candidate, DeploymentKinds.INITIAL, None, actor, reason)


def roll_back(
    agent: Agent,
    *,
    actor: User | None,
    reason: str,
    to: Candidate | None = None,
    expected: int | None = None,
) -> Deployment:
    """Make an earlier champion serve again: `to`, or the one before the present champion.

    `expected` is the id of the deployment that the person saw in force.
    """
    with transaction.atomic():
        current = _lock(agent, expected)
        target = to or (rollback_target(current) if current else None)
        if current is None or target is None:
            raise NothingEarlier(
                f"{current.candidate if current else agent} can't be rolled back: "
                "nothing served before it."
            )
        if target.agent_id != agent.pk or not target.deployments.exists():
            raise NothingEarlier(
                f"{target} never served {agent}. A rollback takes an earlier champion; "
                "a new candidate goes through the gate and a review."
            )
        return _deploy(target, DeploymentKinds.ROLLBACK, current, actor, reason)


def rollback_target(current: Deployment) -> Candidate | None:
    """What served before the present champion was promoted; None for generation 0.

    It counts from the champion's promotion, not from the last row: after a rollback from C to B
    the earlier version is A, never C again.
    """
    history = Deployment.objects.filter(agent_id=current.agent_id)
    own = history.filter(candidate_id=current.candidate_id).exclude(kind=DeploymentKinds.ROLLBACK)
    promotion = own.order_by("-id").first()
    if promotion is None:
        return None
    before = history.filter(pk__lt=promotion.pk).select_related("candidate__agent")
    earlier = before.order_by("-id").first()
    return earlier.candidate if earlier else None


def verify_artefact(candidate: Candidate) -> None:
    """Rehash the candidate's adapter; Damaged names the file and the remedy. None to hash: fine."""
    if not candidate.adapter_digest:
        return
    try:
        Store(settings.PAWL_STORE).verify(candidate.adapter_digest)
    except (ArtefactDamaged, OSError, ValueError) as error:
        raise Damaged(f"The adapter of {candidate} can't be used: {error}") from error


def _lock(agent: Agent, expected: int | None) -> Deployment | None:
    """Hold the agent's row until the transaction ends; the deployment in force, if it is the
    expected one."""
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    current = agent.deployment
    if expected is not None and (current is None or current.pk != expected):
        by = f" by {current.actor.get_username()}" if current and current.actor else ""
        raise Overtaken(
            f"{current.candidate if current else 'Nothing'} serves {agent} since "
            f"{current.created_at if current else timezone.now():%H:%M:%S}{by}, not what this "
            "was decided on. Nothing was changed: look again before you decide."
        )
    return current


def _deploy(
    candidate: Candidate,
    kind: DeploymentKinds,
    current: Deployment | None,
    actor: User | None,
    reason: str,
) -> Deployment:
    """End the row in force and add the new one, with its audit row. Holds the agent's lock."""
    if not reason.strip():
        raise NoReason("Say why: a deployment keeps its reason for good.")
    if current and current.candidate_id == candidate.pk:
        raise AlreadyServing(f"{candidate} serves {candidate.agent} already.")
    try:
        verify_artefact(candidate)
    except Damaged as error:
        keeps = f" {current.candidate} keeps serving." if current else ""
        raise Damaged(f"{error}{keeps}") from error
    if current:
        current.ended_at = timezone.now()
        current.save(update_fields=["ended_at"])
    deployment = Deployment.objects.create(
        agent=candidate.agent, candidate=candidate, kind=kind, actor=actor, reason=reason.strip()
    )
    AuditRow.record(
        kind.value,
        deployment,
        actor=actor,
        reason=reason.strip(),
        before={"champion": str(current.candidate)} if current else {},
        after={"champion": str(candidate), "bundle": candidate.bundle_digest},
    )
    return deployment
