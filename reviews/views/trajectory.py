"""A trajectory, step by step, with the evidence of its verdict; and its raw record."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from improvement.models import Trajectory
from reviews import transcript
from reviews.raw import as_json


@require_safe
def trajectory(request: HttpRequest, trajectory_id: int) -> HttpResponse:
    found = _load(trajectory_id)
    if found.task.sealed:
        return _sealed(request)
    shown = {
        "trajectory": found,
        "transcript": transcript.read(found),
        "siblings": transcript.siblings(found),
    }
    return render(request, "trajectories/trajectory.html", shown)


@require_safe
def trajectory_raw(request: HttpRequest, trajectory_id: int) -> HttpResponse:
    found = _load(trajectory_id)
    if found.task.sealed:
        return _sealed(request)
    shown = {"trajectory": found, "record": as_json(found)}
    return render(request, "trajectories/raw.html", shown)


def _load(trajectory_id: int) -> Trajectory:
    rows = Trajectory.objects.select_related("agent", "task__block", "candidate__agent", "run")
    rows = rows.defer("task__reference", "candidate__bundle", "candidate__training")
    return get_object_or_404(rows, pk=trajectory_id)


def _sealed(request: HttpRequest) -> HttpResponse:
    """Nobody, whatever the role, reads an attempt at a task that a gate has still to use."""
    return render(request, "trajectories/sealed.html", status=403)
