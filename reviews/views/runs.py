"""The list of runs, filtered by agent and state in the URL, in pages by key."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from improvement.models import Agent, Run, RunStates
from reviews.paging import page_by_key
from reviews.progress import run_view
from reviews.sent import word


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    agent, state = word(request.GET, "agent"), word(request.GET, "state")
    rows = Run.objects.select_related("agent", "launched_by").prefetch_related("stages")
    if agent:
        rows = rows.filter(agent__name=agent)
    if state in RunStates.values:
        rows = rows.filter(state=state)
    page = page_by_key(rows, request.GET)
    shown = {
        "page": page,
        "runs": [run_view(row) for row in page.rows],
        "agents": Agent.objects.order_by("name").only("name"),
        "states": RunStates.choices,
        "agent": agent,
        "state": state,
    }
    return render(request, "runs/list.html", shown)
