"""What every page's frame needs: the counts in the navigation (two queries) and the roles."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest

from improvement.models import Candidate, CandidateStates, Warning
from reviews.permissions import ALLOWED, may, roles


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`waiting`, `alarms`, and `may`, a dictionary keyed by act with underscores.

    All are functions that templates call at most once: a partial without them costs no query.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"waiting": 0, "alarms": 0, "may": {}, "roles": ()}
    return {
        "waiting": cache(_waiting),
        "alarms": cache(_alarms),
        "may": cache(lambda: {act.replace("-", "_"): may(user, act) for act in ALLOWED}),
        "roles": cache(lambda: sorted(roles(user))),
    }


def _waiting() -> int:
    return Candidate.objects.filter(state=CandidateStates.REVIEW).count()


def _alarms() -> int:
    return Warning.objects.filter(acknowledged_at=None).count()
