"""What serves now, what served before, and the way back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from improvement.models import Agent, Candidate, Deployment
from improvement.promotion import Refused, roll_back
from reviews.history import histories
from reviews.paging import page_by_key
from reviews.permissions import require
from reviews.sent import text


@require_safe
def deployments(request: HttpRequest) -> HttpResponse:
    name = text(request.GET, "agent")
    agents = Agent.objects.order_by("name")
    if name:
        agents = agents.filter(name=name)
    shown: dict[str, Any] = {"histories": histories(agents), "agent": name}
    if name and shown["histories"]:
        rows = Deployment.objects.filter(agent__name=name)
        rows = rows.select_related("candidate__agent", "actor")
        shown["page"] = page_by_key(rows, request.GET)
    return render(request, "deployments/list.html", shown)


@require_POST
@require("roll-back")
def rollback(request: HttpRequest, agent_name: str) -> HttpResponse:
    agent = get_object_or_404(Agent, name=agent_name)
    expected, to = text(request.POST, "expected"), text(request.POST, "to")
    if not (expected.isdecimal() and to.isdecimal() and len(expected + to) < 37):
        return HttpResponseBadRequest("The form was incomplete. Go back, reload and send it again.")
    words = [text(request.POST, "preset").strip(), text(request.POST, "reason").strip()]
    target = get_object_or_404(Candidate.objects.select_related("agent"), pk=int(to), agent=agent)
    try:
        roll_back(
            agent,
            actor=request.user,  # type: ignore[arg-type]
            reason=": ".join(word for word in words if word),
            to=target,
            expected=int(expected),
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{target} serves {agent} now.")
    return redirect(f"{reverse('deployments')}?agent={agent.name}")
