"""The review page: what changed, is it better, what got worse, what is risky, may I approve?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from improvement.models import Candidate, Evaluation
from reviews.dossier.page import dossier
from reviews.dossier.pairs import pair_page
from reviews.evidence import gate_of


@require_safe
def candidate(request: HttpRequest, candidate_id: int) -> HttpResponse:
    found = load(candidate_id)
    if request.htmx and request.htmx.target == "pairs":  # type: ignore[attr-defined]
        return render(request, "candidates/_pairs.html", pairs(found, gate_of(found), request))
    return show(request, found)


def show(
    request: HttpRequest,
    found: Candidate,
    *,
    reason: str = "",
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page; after a refused decision with what the person wrote and why it was refused."""
    page = dossier(found, request.user)  # type: ignore[arg-type]
    shown = {
        "page": page,
        "reason": reason,
        "refusal": refusal,
        **pairs(found, page.gate.row if page.gate else None, request),
    }
    return render(request, "candidates/review.html", shown, status=status)


def load(candidate_id: int) -> Candidate:
    rows = Candidate.objects.select_related(
        "agent", "parent__agent", "run__launched_by", "dataset", "proposer"
    ).defer("dataset__manifest", "run__recipe")
    return get_object_or_404(rows, pk=candidate_id)


def pairs(found: Candidate, gate: Evaluation | None, request: HttpRequest) -> dict[str, Any]:
    """The table of pairs that the query string asks for."""
    if gate is None:
        return {"candidate": found, "gate_row": None}
    return {"candidate": found, "gate_row": gate, "table": pair_page(gate, request.GET)}
