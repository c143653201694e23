"""Home: every agent at a glance."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviews.board import cards
from reviews.permissions import who_may


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    shown = {"cards": cards(), "releasers": who_may("release-hold")}
    return render(request, "home.html", shown)
