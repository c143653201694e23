"""What every page's frame needs: the counts in the navigation (two queries) and the roles."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from improvement.models import Candidate, CandidateStates, Warning
from reviews.permissions import ALLOWED, may, roles


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`waiting`, `alarms`, and `may`, a dictionary keyed by act with underscores.

    All are lazy: a partial that shows no navigation costs no query.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"waiting": 0, "alarms": 0, "may": {}, "roles": ()}
    return {
        "waiting": SimpleLazyObject(_waiting),
        "alarms": SimpleLazyObject(_alarms),
        "may": SimpleLazyObject(lambda: {a.replace("-", "_"): may(user, a) for a in ALLOWED}),
        "roles": SimpleLazyObject(lambda: sorted(roles(user))),
    }


def _waiting() -> int:
    return Candidate.objects.filter(state=CandidateStates.REVIEW).count()


def _alarms() -> int:
    return Warning.objects.filter(acknowledged_at=None).count()
