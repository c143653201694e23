"""Words from the query string, made safe to look up."""

from __future__ import annotations

from django.http import HttpRequest


def word(request: HttpRequest, name: str, longest: int = 120) -> str:
    """The parameter `name` without NUL (which the database refuses to hear), at most so long."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:longest]
