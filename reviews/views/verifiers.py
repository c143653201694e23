"""Verifiers: may they be trusted, for which agent, and why?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from improvement.licences import PERSON
from improvement.models import Verifier
from reviews import verifiers as rows
from reviews.paging import page_by_key


@require_safe
def verifiers(request: HttpRequest) -> HttpResponse:
    page = page_by_key(Verifier.objects.all(), request.GET)
    found = rows.trust(page.rows)
    used = {row.verifier.pk for row in found}
    idle = [verifier for verifier in page.rows if verifier.pk not in used]
    return render(request, "verifiers/list.html", {"rows": found, "idle": idle, "page": page})


@require_safe
def verifier(request: HttpRequest, verifier_id: int) -> HttpResponse:
    found = get_object_or_404(Verifier, pk=verifier_id)
    trust = rows.trust([found])
    shown = {
        "verifier": found,
        "trust": [(row, rows.family_rows(row)) for row in trust],
        "person": found.name == PERSON,
        "settings": rows.without_secrets(found.settings),
        "versions": rows.versions(found),
        "events": rows.events(found),
        "disagreements": rows.disagreements(trust),
    }
    return render(request, "verifiers/verifier.html", shown)
