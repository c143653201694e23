"""Freeze: from here on the candidate can't change; only then is its sealed block drawn."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from improvement.jobs.context import StageContext, StageFailed
from improvement.jobs.evaluate import sides_of
from improvement.jobs.tools import store
from improvement.models import AuditRow, CandidateStates
from improvement.store import ArtefactDamaged


def run(context: StageContext) -> dict[str, Any]:
    """Rehash the artefact and freeze the candidate."""
    _, candidate = sides_of(context.run)
    try:
        store().verify(candidate.adapter_digest)
    except ArtefactDamaged as error:
        raise StageFailed(f"Candidate {candidate} can't be frozen. {error}") from error
    with context.writing():
        if candidate.frozen_at is None:
            candidate.frozen_at = timezone.now()
            candidate.state = CandidateStates.FROZEN
            candidate.save(update_fields=["frozen_at", "state"])
            AuditRow.record("freeze", candidate, after={"bundle": candidate.bundle_digest})
    return {"bundle": candidate.bundle_digest, "adapter": candidate.adapter_digest}
