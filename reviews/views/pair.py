"""One held-out item: the champion's attempt beside the candidate's, with both verdicts."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from improvement.models import EvaluationItem, Trajectory
from reviews import transcript
from reviews.dossier.pairs import neighbours, visible_items
from reviews.evidence import gate_of
from reviews.views.candidate import load


@require_safe
def pair(request: HttpRequest, candidate_id: int, item_id: int) -> HttpResponse:
    found = load(candidate_id)
    gate = gate_of(found)
    if gate is None:
        raise Http404("no gate")
    item: EvaluationItem = get_object_or_404(visible_items(gate), pk=item_id)
    earlier, later = neighbours(item)
    sides = [
        ("Champion", gate.champion, item.champion_passed, _read(item.champion_trajectory)),
        ("Candidate", found, item.candidate_passed, _read(item.candidate_trajectory)),
    ]
    shown = {
        "candidate": found,
        "item": item,
        "sides": sides,
        "earlier": earlier,
        "later": later,
    }
    return render(request, "candidates/pair.html", shown)


def _read(trajectory: Trajectory | None) -> tuple[Trajectory, transcript.Transcript] | None:
    return (trajectory, transcript.read(trajectory)) if trajectory else None
