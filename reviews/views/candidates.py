"""The queue: what waits for a decision first, everything else by state."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from improvement.models import Agent
from reviews import queue
from reviews.paging import page_by_key
from reviews.sent import text


@require_safe
def candidates(request: HttpRequest) -> HttpResponse:
    state = text(request.GET, "state", "waiting")
    state = state if state in queue.STATES else "waiting"
    agent = text(request.GET, "agent")
    page = page_by_key(queue.candidates(state, agent), request.GET)
    shown = {
        "rows": queue.queue_rows(page.rows),
        "page": page,
        "state": state,
        "filters": queue.filters(agent),
        "agent": agent,
        "agents": Agent.objects.order_by("name").only("name"),
    }
    return render(request, "candidates/list.html", shown)
