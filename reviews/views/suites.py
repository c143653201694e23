"""Suites: what tasks there are, in which splits, and who learns from them."""

from __future__ import annotations

from itertools import islice

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from improvement.jobs.importing.report import shape_of
from improvement.models import Splits, Suite
from reviews import suites as rows
from reviews.paging import bounded_count, page_by_key


@require_safe
def suites(request: HttpRequest) -> HttpResponse:
    page = page_by_key(Suite.objects.all(), request.GET)
    return render(request, "suites/list.html", {"rows": rows.rows_of(page.rows), "page": page})


@require_safe
def suite(request: HttpRequest, suite_name: str) -> HttpResponse:
    found = get_object_or_404(Suite, name=suite_name)
    families, chosen = rows.families_of(found), rows.read(request.GET)
    tasks = chosen.apply(found)
    shown = {
        "suite": found,
        "families": dict(islice(families.items(), rows.MOST_FAMILIES)),
        "more": max(len(families) - rows.MOST_FAMILIES, 0),
        "total": rows.total(families),
        "shape": shape_of(found),
        "agents": found.agents.order_by("name").defer("block_secret"),
        "chosen": chosen,
        "splits": Splits.choices,
        "page": page_by_key(tasks, request.GET),
        "count": bounded_count(tasks) if chosen.values else "",
    }
    return render(request, "suites/suite.html", shown)
