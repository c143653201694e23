"""A run with its live stages. The live parts are polled; 286 tells the browser to stop."""

from __future__ import annotations

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from improvement.models import Evaluation, Run
from reviews.permissions import who_may
from reviews.progress import RunView, run_view

STOP_POLLING = 286


@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    found = _load(run_id)
    shown = {
        "run": found,
        "candidate": getattr(found.row, "candidate", None),
        "launchers": who_may("resume-run"),
    }
    return render(request, "runs/run.html", shown)


@require_safe
def run_live(request: HttpRequest, run_id: int) -> HttpResponse:
    """The stages alone; with the last answer the buttons of the page head change too."""
    found = _load(run_id)
    candidate = getattr(found.row, "candidate", None)
    return _polled(request, "runs/_live.html", found, {"candidate": candidate, "swap": True})


@require_safe
def run_strip(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run on the home page."""
    return _polled(request, "runs/_strip.html", _load(run_id), {})


def _polled(
    request: HttpRequest, template: str, found: RunView, more: dict[str, object]
) -> HttpResponse:
    status = 200 if found.polls else STOP_POLLING
    return render(request, template, {"run": found} | more, status=status)


def _load(run_id: int) -> RunView:
    evaluations = Evaluation.objects.defer("families", "rule")
    rows = Run.objects.select_related("agent", "launched_by", "candidate").prefetch_related(
        "stages", Prefetch("evaluations", evaluations)
    )
    rows = rows.defer("candidate__bundle", "candidate__training")
    return run_view(get_object_or_404(rows, pk=run_id))
