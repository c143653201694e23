"""What a person does to a run: start it, cancel it, resume it. POST only, engineers only."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from improvement.jobs import launch
from improvement.models import Agent, Run
from reviews.permissions import require


@require_POST
@require("launch-run")
def run_launch(request: HttpRequest, agent_name: str) -> HttpResponse:
    agent = get_object_or_404(Agent, name=agent_name)
    try:
        run = launch.launch(agent, actor=request.user)
    except launch.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("home")
    messages.success(request, f"Cycle {run.cycle} of {agent} is queued.")
    return redirect("run", run_id=run.pk)


@require_POST
@require("cancel-run")
def run_cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("agent"), pk=run_id)
    try:
        launch.cancel(run, request.user)
    except launch.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{run} is being cancelled. What it finished is kept.")
    return redirect("run", run_id=run.pk)


@require_POST
@require("resume-run")
def run_resume(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("agent"), pk=run_id)
    try:
        launch.resume(run, request.user)
    except launch.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{run} goes on from its first unfinished stage.")
    return redirect("run", run_id=run.pk)
