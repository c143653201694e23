"""What an approval binds to: one digest over everything the reviewer judged."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from improvement.models import Candidate, Evaluation, EvaluationKinds, Verdict, Verifier
from improvement.records import digest_of


def gate_of(candidate: Candidate) -> Evaluation | None:
    """The gate's result for `candidate`, with its champion and block."""
    gates = candidate.evaluations.filter(kind=EvaluationKinds.GATE)
    return gates.select_related("champion__agent", "block").order_by("-id").first()


def evidence_digest(candidate: Candidate) -> str:
    """sha256 over bundle, adapter, training manifest, evaluations and verifier versions.

    Any change to one of them, or one more evaluation, gives another digest and voids an approval
    that is under way.
    """
    return digest_of(evidence_parts(candidate))


def evidence_parts(candidate: Candidate) -> dict[str, object]:
    """The digests that `evidence_digest` covers, by name."""
    evaluations = candidate.evaluations.order_by("digest").values_list("digest", flat=True)
    return {
        "bundle": candidate.bundle_digest,
        "adapter": candidate.adapter_digest,
        "dataset": candidate.dataset.digest if candidate.dataset else "",
        "evaluations": list(evaluations),
        "verifiers": [verifier.digest for verifier in verifiers_of(candidate)],
    }


def verifiers_of(candidate: Candidate) -> list[Verifier]:
    """The verifiers, in the versions that judged this candidate's own attempts."""
    verdicts = Verdict.objects.filter(verifier=OuterRef("pk"), trajectory__candidate=candidate)
    return list(Verifier.objects.filter(Exists(verdicts)).order_by("digest"))
