"""Warnings and holds: read, acknowledge, release. The last two are POST, with a reason."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from improvement.models import Agent, Hold, Warning
from improvement.promotion import Refused
from reviews import brakes
from reviews.paging import page_by_key
from reviews.permissions import require
from reviews.sent import text


@require_safe
def warnings(request: HttpRequest) -> HttpResponse:
    agent, state = text(request.GET, "agent"), text(request.GET, "state", "open")
    rows = Warning.objects.select_related("candidate__agent", "agent", "acknowledged_by")
    holds = Hold.objects.filter(released_at=None).select_related("agent", "warning", "placed_by")
    if agent:
        rows, holds = rows.filter(agent__name=agent), holds.filter(agent__name=agent)
    if state != "all":
        rows = rows.filter(acknowledged_at=None)
    shown = {
        "page": page_by_key(rows.defer("candidate__bundle", "candidate__training"), request.GET),
        "holds": holds.order_by("agent__name"),
        "agents": Agent.objects.order_by("name").only("name"),
        "agent": agent,
        "state": "all" if state == "all" else "open",
    }
    return render(request, "warnings/list.html", shown)


@require_POST
@require("acknowledge-warning")
def warning_acknowledge(request: HttpRequest, warning_id: int) -> HttpResponse:
    warning = get_object_or_404(Warning, pk=warning_id)
    try:
        brakes.acknowledge(warning, actor=request.user, reason=_reason(request))  # type: ignore[arg-type]
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Acknowledged: {warning.signal}.")
    return redirect("warnings")


@require_POST
@require("release-hold")
def hold_release(request: HttpRequest, hold_id: int) -> HttpResponse:
    hold = get_object_or_404(Hold.objects.select_related("agent"), pk=hold_id)
    try:
        brakes.release(hold, actor=request.user, reason=_reason(request))  # type: ignore[arg-type]
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The hold on {hold.agent} is released: new runs may start.")
    return redirect("warnings")


def _reason(request: HttpRequest) -> str:
    return text(request.POST, "reason")
