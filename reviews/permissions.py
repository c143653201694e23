"""May this person do this? Every page and every template asks here, and nowhere else.

Roles are Django groups. Everybody with an account may read; sealed held-out tasks are shown to
nobody. An unknown act is a programming error (KeyError), never a yes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

Act = Literal[
    "decide",
    "roll-back",
    "launch-run",
    "cancel-run",
    "resume-run",
    "release-hold",
    "acknowledge-warning",
    "label",
    "draw-labels",
]
P = ParamSpec("P")

ROLES = ("reviewer", "engineer", "manager", "admin")
ALLOWED: dict[Act, frozenset[str]] = {
    "decide": frozenset({"reviewer", "admin"}),
    "roll-back": frozenset({"reviewer", "manager", "admin"}),
    "launch-run": frozenset({"engineer", "admin"}),
    "cancel-run": frozenset({"engineer", "admin"}),
    "resume-run": frozenset({"engineer", "admin"}),
    "release-hold": frozenset({"manager", "admin"}),
    "acknowledge-warning": frozenset({"manager", "admin"}),
    "label": frozenset({"reviewer", "admin"}),
    "draw-labels": frozenset({"reviewer", "engineer", "admin"}),
}
WORDS: dict[Act, str] = {
    "decide": "decide on a candidate",
    "roll-back": "roll back a deployment",
    "launch-run": "start a run",
    "cancel-run": "cancel a run",
    "resume-run": "resume a run",
    "release-hold": "release a hold",
    "acknowledge-warning": "acknowledge a warning",
    "label": "label attempts",
    "draw-labels": "draw attempts to label",
}


def roles(user: Any) -> frozenset[str]:
    """The roles of this person: one query, remembered on the user object of this request."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    known: frozenset[str] | None = getattr(user, "_pawl_roles", None)
    if known is None:
        names = set(user.groups.values_list("name", flat=True)) & set(ROLES)
        known = frozenset(names | ({"admin"} if user.is_superuser else set()))
        user._pawl_roles = known
    return known


def may(user: Any, act: Act) -> bool:
    """Whether this person may do this."""
    return bool(ALLOWED[act] & roles(user))


def who_may(act: Act) -> str:
    """The roles that may do this, in words: "reviewer or admin"."""
    names = [role for role in ROLES if role in ALLOWED[act]]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def refusal(act: Act) -> str:
    """What a person reads who may not do this."""
    return f"To {WORDS[act]} you need the role {who_may(act)}. An admin can give it to you."


def require(
    act: Act,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Refuse, with a page that names the role needed, whoever may not do this."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not may(request.user, act):
                raise PermissionDenied(refusal(act))
            return view(request, *args, **kwargs)

        return guarded

    return decorate
