"""The list of trajectories. The URL is the filter; attempts at sealed tasks are never in it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from improvement.models import Agent
from reviews import filters
from reviews.paging import bounded_count, page_by_key
from reviews.sent import word


@require_safe
def trajectories(request: HttpRequest) -> HttpResponse:
    asked = word(request.GET, "task").lstrip("#")
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        return redirect("trajectory", trajectory_id=int(asked))
    chosen = filters.read(request.GET)
    rows = chosen.apply()
    shown = {
        "page": page_by_key(rows, request.GET),
        "count": bounded_count(rows) if chosen.values else "",
        "chosen": chosen,
        "agents": Agent.objects.order_by("name").only("name"),
        "choices": filters.CHOICES,
    }
    return render(request, "trajectories/list.html", shown)
