"""Who may do what, and what whoever may not is told."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse

from reviews import permissions
from reviews.urls import urlpatterns
from tests import factories
from tests.pages.people import signed_in, text_of

pytestmark = pytest.mark.django_db
EXPECTED = {
    "decide": {"reviewer", "admin"},
    "roll-back": {"reviewer", "manager", "admin"},
    "launch-run": {"engineer", "admin"},
    "cancel-run": {"engineer", "admin"},
    "resume-run": {"engineer", "admin"},
    "release-hold": {"manager", "admin"},
    "acknowledge-warning": {"manager", "admin"},
    "label": {"reviewer", "admin"},
    "draw-labels": {"reviewer", "engineer", "admin"},
}
OPEN = {"sign-in", "sign-out"}


@pytest.mark.parametrize("role", ["", *permissions.ROLES])
@pytest.mark.parametrize("act", EXPECTED)
def test_each_role_may_do_its_own_acts_only(role: str, act: permissions.Act) -> None:
    assert permissions.may(factories.make_user(role), act) is (role in EXPECTED[act])


def test_every_act_has_a_row_here() -> None:
    assert set(permissions.ALLOWED) == set(EXPECTED)


def test_nobody_and_somebody_switched_off_may_do_nothing() -> None:
    away = factories.make_user("admin", is_active=False)
    for act in permissions.ALLOWED:
        assert not permissions.may(AnonymousUser(), act)
        assert not permissions.may(away, act)


def test_a_group_that_is_no_role_gives_nothing() -> None:
    assert permissions.roles(factories.make_user("superhero")) == frozenset()


def test_an_unknown_act_is_an_error_and_never_a_yes() -> None:
    with pytest.raises(KeyError):
        permissions.may(factories.make_user("admin"), "fly")  # type: ignore[arg-type]


def test_a_refusal_names_the_role_needed() -> None:
    agent = factories.make_agent()
    answer = signed_in("reviewer").post(reverse("run-launch", args=[agent.name]))
    assert answer.status_code == 403
    assert "engineer or admin" in text_of(answer)


def test_every_page_sends_a_stranger_to_the_sign_in_page() -> None:
    for pattern in urlpatterns:
        if pattern.name in OPEN:
            continue
        values = {name: _some(c) for name, c in pattern.pattern.converters.items()}
        for method in ("get", "post"):
            answer = getattr(Client(), method)(reverse(str(pattern.name), kwargs=values))
            assert answer.status_code == 302, (pattern.name, method)
            assert answer["Location"].startswith(reverse("sign-in")), (pattern.name, method)


def _some(converter: object) -> object:
    kind = type(converter).__name__
    return 1 if kind == "IntConverter" else "a" if "UUID" not in kind else "0" * 32
