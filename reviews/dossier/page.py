"""The whole review page of one candidate, and the one line that sums it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from improvement.models import Candidate, CandidateStates, Deployment, Warning
from improvement.promotion import rollback_target
from reviews.checks import Check, approval_checks
from reviews.dossier.changes import Changes, changes
from reviews.dossier.gate import GateBox, gate_box
from reviews.dossier.signals import SignalRow, signal_rows
from reviews.dossier.training import TrainingFacts, training_facts
from reviews.evidence import evidence_digest, gate_of
from reviews.models import Review


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything the page shows except the table of pairs."""

    candidate: Candidate
    champion: Candidate | None
    deployment: Deployment | None
    gate: GateBox | None
    changes: Changes
    signals: Sequence[SignalRow]
    warnings: Sequence[Warning]
    training: TrainingFacts
    reviews: Sequence[Review]
    served: Sequence[Deployment]
    checks: Sequence[Check]
    evidence: str
    earlier: Candidate | None

    @property
    def waiting(self) -> bool:
        return self.candidate.state == CandidateStates.REVIEW

    @property
    def serves(self) -> bool:
        return self.champion is not None and self.champion.pk == self.candidate.pk

    @property
    def failed_checks(self) -> int:
        return sum(not check.ok for check in self.checks)

    @property
    def red(self) -> int:
        return sum(warning.level == "red" for warning in self.warnings)

    @property
    def amber(self) -> int:
        return sum(warning.level == "amber" for warning in self.warnings)


def dossier(candidate: Candidate, user: User) -> Dossier:
    """Read everything. The checks (one of them rehashes the adapter) only where a decision is
    still to be made."""
    agent = candidate.agent
    deployment = agent.deployment
    champion = deployment.candidate if deployment else None
    gate = gate_of(candidate)
    against = gate.champion if gate else candidate.parent or None
    waiting = candidate.state == CandidateStates.REVIEW
    reviews = candidate.reviews.select_related("reviewer").order_by("-id")
    warnings = candidate.warnings.select_related("acknowledged_by")
    served = candidate.deployments.select_related("actor").order_by("-id")
    serves = champion is not None and champion.pk == candidate.pk
    return Dossier(
        candidate=candidate,
        champion=champion,
        deployment=deployment,
        gate=gate_box(gate) if gate else None,
        changes=changes(candidate, against),
        signals=signal_rows(candidate, agent.generation_zero, against),
        warnings=list(warnings.order_by("-level", "id")),
        training=training_facts(candidate),
        reviews=list(reviews),
        served=list(served[:20]),
        checks=list(approval_checks(candidate, user, gate, deployment)) if waiting else [],
        evidence=evidence_digest(candidate),
        earlier=rollback_target(deployment) if deployment and serves else None,
    )
