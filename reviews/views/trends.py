"""Is the agent getting better, or drifting? Held-out score and signals over its candidates."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from improvement.models import Agent
from reviews.charts.gap import gap_trend
from reviews.charts.heldout import heldout_trend
from reviews.charts.signals import signal_series
from reviews.drift import signal_trends
from reviews.sent import text
from reviews.trends import held_out


@require_safe
def trends(request: HttpRequest) -> HttpResponse:
    agents = list(Agent.objects.order_by("name"))
    name = text(request.GET, "agent")
    if not agents:
        return render(request, "trends/trends.html", {"agents": []})
    agent = get_object_or_404(Agent, name=name) if name else agents[0]
    family = text(request.GET, "family")
    found = held_out(agent, family)
    shown = {
        "agents": agents,
        "agent": agent,
        "family": family,
        "found": found,
        "heldout_figure": heldout_trend(found.gates, found.rollbacks, found.base),
        "gap_figure": gap_trend(found.gates),
        "gap": [gate for gate in found.gates if gate.train is not None],
        "signals": [
            (trend, signal_series(trend.points, trend.base, trend.lower, trend.upper))
            for trend in signal_trends(agent)
        ],
    }
    return render(request, "trends/trends.html", shown)
