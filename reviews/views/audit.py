"""The audit trail: who did what to which object, why, with before and after."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from improvement.models import Agent
from reviews import audit as trail
from reviews.paging import page_by_key
from reviews.sent import text


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    chosen = trail.AuditFilter(
        agent=text(request.GET, "agent"),
        verb=text(request.GET, "verb"),
        actor=text(request.GET, "actor"),
        thing=text(request.GET, "thing"),
    )
    shown = {
        "page": page_by_key(chosen.rows(), request.GET),
        "chosen": chosen,
        "filtered": any((chosen.agent, chosen.verb, chosen.actor, chosen.thing)),
        "agents": Agent.objects.order_by("name").only("name"),
        "verbs": trail.verbs(),
        "actors": trail.actors(),
        "things": trail.THINGS,
    }
    return render(request, "audit/list.html", shown)
