"""The checks above the Approve button. The verb enforces exactly what the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User

from improvement.licences import licence_of
from improvement.models import Candidate, Deployment, Evaluation, Verdict, Verifier
from improvement.promotion import Damaged, Overtaken, Refused, verify_artefact


class OwnWork(Refused):
    """The person proposed the candidate or launched its run."""


class GateNotPassed(Refused):
    """There is no gate result, or it is not a pass."""


class Unlicensed(Refused):
    """A verifier that judged the gate has lost its licence since."""


class Contaminated(Refused):
    """Training data overlaps with held-out items."""


class OpenWarning(Refused):
    """A red warning of the candidate is open."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of an approval: `label` names it, `says` is what was found."""

    label: str
    ok: bool
    says: str
    refusal: type[Refused]


def approval_checks(
    candidate: Candidate, reviewer: User, gate: Evaluation | None, deployment: Deployment | None
) -> Iterator[Check]:
    """Every condition of an approval, in the order in which a person would ask for them; `gate`
    is the candidate's, `deployment` what serves now."""
    yield gate_passed(gate)
    yield champion_unchanged(gate, deployment)
    yield verifiers_licensed(candidate, gate)
    yield four_eyes(candidate, reviewer)
    yield not_contaminated(candidate)
    yield no_open_red_warning(candidate)
    yield artefact_intact(candidate)


def gate_passed(gate: Evaluation | None) -> Check:
    says = "Not measured yet: run the gate first."
    if gate:
        answers = {"pass": "Pass", "fail": "Fail", "insufficient": "Insufficient evidence"}
        says = f"{answers[gate.answer]}. {gate.reason}"
    ok = gate is not None and gate.answer == "pass"
    return Check("The gate passed", ok, says, GateNotPassed)


def champion_unchanged(gate: Evaluation | None, deployment: Deployment | None) -> Check:
    """Better than something that no longer serves is no reason to promote."""
    serving = deployment.candidate if deployment else None
    label = "Measured against the present champion"
    if gate is None:
        return Check(label, False, "Not measured yet.", Overtaken)
    if serving is None or serving.pk != gate.champion_id:
        says = (
            f"It was measured against {gate.champion}, but {serving or 'nothing'} serves now. "
            "Launch a new run to measure against that."
        )
        return Check(label, False, says, Overtaken)
    return Check(label, True, f"{serving} serves, and the gate compared with it.", Overtaken)


def verifiers_licensed(candidate: Candidate, gate: Evaluation | None) -> Check:
    """The gate asked for the licence before it began; labels may have taken it away since."""
    label = "Judged by verifiers that are licensed"
    if gate is None:
        return Check(label, False, "Not measured yet.", Unlicensed)
    attempts = gate.items.exclude(candidate_trajectory=None).values("candidate_trajectory")
    judged = Verdict.objects.filter(trajectory__in=attempts)
    verifiers = Verifier.objects.filter(pk__in=judged.values("verifier")).order_by("name", "pk")
    found = [(verifier, licence_of(candidate.agent, verifier)) for verifier in verifiers[:20]]
    for verifier, licence in found:
        if not licence.valid:
            says = f"{verifier} has lost its licence. {licence.reason} See its page."
            return Check(label, False, says, Unlicensed)
    names = ", ".join(str(verifier) for verifier, _ in found) or "No verdict is kept"
    return Check(label, bool(found), f"{names}.", Unlicensed)


def four_eyes(candidate: Candidate, reviewer: User) -> Check:
    label = "Judged by somebody else than its author"
    if candidate.proposer_id == reviewer.pk:
        says = "You proposed this candidate: another person must decide."
        return Check(label, False, says, OwnWork)
    if candidate.run and candidate.run.launched_by_id == reviewer.pk:
        says = "You launched the run that made this candidate: another person must decide."
        return Check(label, False, says, OwnWork)
    return Check(label, True, "You neither proposed it nor launched its run.", OwnWork)


def not_contaminated(candidate: Candidate) -> Check:
    label = "No held-out item in the training data"
    if candidate.dataset is None:
        return Check(label, True, "It was not trained on a dataset.", Contaminated)
    hits = candidate.dataset.contaminated
    if hits:
        says = f"{hits} training examples match held-out items. Reject it and train without them."
        return Check(label, False, says, Contaminated)
    says = "No match by fingerprint. A paraphrase would not be found."
    return Check(label, True, says, Contaminated)


def no_open_red_warning(candidate: Candidate) -> Check:
    """Open: not acknowledged, or the hold that it placed is still on."""
    label = "No open red warning"
    red = candidate.warnings.filter(level="red")
    unread = red.filter(acknowledged_at=None).first()
    if unread:
        says = f"{unread.sentence} Acknowledge it on the warnings page, with a reason."
        return Check(label, False, says, OpenWarning)
    held = red.filter(hold__released_at=None, hold__isnull=False).first()
    if held:
        says = f"The hold on {candidate.agent} that it placed is on. A manager can release it."
        return Check(label, False, says, OpenWarning)
    return Check(label, True, "None is open.", OpenWarning)


def artefact_intact(candidate: Candidate) -> Check:
    label = "The adapter is the one that was measured"
    try:
        verify_artefact(candidate)
    except Damaged as error:
        return Check(label, False, str(error), Damaged)
    if not candidate.adapter_digest:
        return Check(label, True, "It has no adapter of its own.", Damaged)
    return Check(label, True, f"Rehashed now: {candidate.adapter_digest[:12]}.", Damaged)
