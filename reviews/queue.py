"""The candidates queue: rows with their gate and warnings, whatever the number of candidates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from improvement.models import Candidate, CandidateStates, Evaluation, EvaluationKinds, Warning

STATES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "waiting": ("Waiting", (CandidateStates.REVIEW,)),
    "approved": ("Approved", (CandidateStates.APPROVED,)),
    "rejected": ("Rejected", (CandidateStates.REJECTED,)),
    "changes": ("Changes requested", (CandidateStates.CHANGES,)),
    "not-passed": ("Gate not passed", (CandidateStates.NOT_PASSED,)),
    "working": (
        "In the making",
        (CandidateStates.TRAINED, CandidateStates.SCREENED, CandidateStates.FROZEN),
    ),
    "all": ("All", tuple(CandidateStates.values)),
}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One candidate of the list."""

    candidate: Candidate
    gate: Evaluation | None
    amber: int
    red: int


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter chip: its key in the URL, its words and how many candidates it has."""

    key: str
    label: str
    count: int


def candidates(state: str, agent: str) -> QuerySet[Candidate]:
    rows = Candidate.objects.filter(state__in=STATES[state][1])
    if agent:
        rows = rows.filter(agent__name=agent)
    return rows.select_related("agent", "proposer", "run").defer("bundle", "training")


def filters(agent: str) -> list[Filter]:
    """Every chip with its count, in one query."""
    rows = Candidate.objects.filter(agent__name=agent) if agent else Candidate.objects.all()
    counts = dict(rows.order_by().values_list("state").annotate(Count("id")))
    return [
        Filter(key, label, sum(counts.get(state, 0) for state in states))
        for key, (label, states) in STATES.items()
    ]


def queue_rows(shown: Sequence[Candidate]) -> list[QueueRow]:
    """The candidates of one page with their gates and open warnings: two queries."""
    gates = Evaluation.objects.filter(candidate__in=shown, kind=EvaluationKinds.GATE)
    by_candidate = {gate.candidate_id: gate for gate in gates.defer("families", "rule", "reason")}
    counts: defaultdict[tuple[int, str], int] = defaultdict(int)
    opened = Warning.objects.filter(candidate__in=shown, acknowledged_at=None).order_by()
    for candidate, level, n in opened.values_list("candidate", "level").annotate(Count("id")):
        counts[candidate, level] = n
    return [
        QueueRow(c, by_candidate.get(c.pk), counts[c.pk, "amber"], counts[c.pk, "red"])
        for c in shown
    ]
