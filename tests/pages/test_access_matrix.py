"""Every route × every role: who may, who may not. A route without a row here fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from improvement.models import Suite
from tests import factories, labelled
from tests.pages import scenes

pytestmark = pytest.mark.django_db

WHO = ("anonymous", "", "reviewer", "engineer", "manager", "admin")
ALL = frozenset(WHO)
SIGNED_IN = ALL - {"anonymous"}
REVIEWERS = frozenset({"reviewer", "admin"})
ENGINEERS = frozenset({"engineer", "admin"})
MANAGERS = frozenset({"manager", "admin"})

# route name -> (method, who may)
ROUTES: dict[str, tuple[str, frozenset[str]]] = {
    "sign-in": ("get", ALL),
    "sign-out": ("post", ALL),
    "healthz": ("get", ALL),
    "readyz": ("get", ALL),
    "home": ("get", SIGNED_IN),
    "runs": ("get", SIGNED_IN),
    "run": ("get", SIGNED_IN),
    "run-live": ("get", SIGNED_IN),
    "run-strip": ("get", SIGNED_IN),
    "run-launch": ("post", ENGINEERS),
    "run-cancel": ("post", ENGINEERS),
    "run-resume": ("post", ENGINEERS),
    "suites": ("get", SIGNED_IN),
    "suite": ("get", SIGNED_IN),
    "trajectories": ("get", SIGNED_IN),
    "trajectory": ("get", SIGNED_IN),
    "trajectory-raw": ("get", SIGNED_IN),
    "candidates": ("get", SIGNED_IN),
    "candidate": ("get", SIGNED_IN),
    "pair": ("get", SIGNED_IN),
    "candidate-decide": ("post", REVIEWERS),
    "deployments": ("get", SIGNED_IN),
    "roll-back": ("post", REVIEWERS | MANAGERS),
    "trends": ("get", SIGNED_IN),
    "warnings": ("get", SIGNED_IN),
    "warning-acknowledge": ("post", MANAGERS),
    "hold-release": ("post", MANAGERS),
    "audit": ("get", SIGNED_IN),
    "labels": ("get", SIGNED_IN),
    "label-next": ("get", REVIEWERS),
    "label": ("post", REVIEWERS),
    "labels-draw": ("post", REVIEWERS | ENGINEERS),
    "verifiers": ("get", SIGNED_IN),
    "verifier": ("get", SIGNED_IN),
}
# A POST by somebody who may, without its fields, is refused for that or sent on; never a 403.
# 286 tells htmx to stop polling.
FINE = {200, 286, 302, 400, 409}


def routes() -> Iterator[str]:
    """The name of every route of the site; a nameless one fails the test that needs a row."""
    pending: list[Any] = list(get_resolver().url_patterns)
    while pending:
        found = pending.pop()
        if isinstance(found, URLResolver):
            pending.extend(found.url_patterns)
        elif isinstance(found, URLPattern):
            yield found.name or f"nameless {found.pattern}"


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert set(routes()) - set(ROUTES) == set(), "add these routes to the matrix"


MUTATIONS = sorted(route for route, (method, _) in ROUTES.items() if method == "post")


@pytest.fixture
def addresses() -> dict[str, list[Any]]:
    """What each route needs to be reversed."""
    candidate = scenes.waiting()
    gate = candidate.evaluations.get()
    item = gate.items.first()
    assert item
    assert item.candidate_trajectory
    warning = factories.make_warning(candidate)
    run, agent = [candidate.run_id], [candidate.agent.name]
    trajectory = [item.candidate_trajectory.pk]
    drawn = labelled.make_item(item.candidate_trajectory)
    labels = [candidate.agent.name, drawn.verifier_id]
    return {
        "run": run, "run-live": run, "run-strip": run, "run-cancel": run, "run-resume": run,
        "run-launch": agent, "roll-back": agent,
        "suite": [Suite.objects.create(name="sums").name],
        "trajectory": trajectory, "trajectory-raw": trajectory,
        "candidate": [candidate.pk], "candidate-decide": [candidate.pk],
        "pair": [candidate.pk, item.pk],
        "label-next": labels, "label": [*labels, drawn.pk], "labels-draw": labels,
        "verifier": [drawn.verifier_id],
        "warning-acknowledge": [warning.pk],
        "hold-release": [factories.make_hold(candidate.agent).pk],
    }  # fmt: skip


@pytest.fixture
def sign_in() -> Callable[[str], Client]:
    def of(who: str) -> Client:
        client = Client(raise_request_exception=False)
        if who != "anonymous":
            client.force_login(factories.make_user(who))
        return client

    return of


@pytest.mark.parametrize("route", sorted(set(ROUTES) & set(routes())))
def test_who_may_open_it(
    route: str, addresses: dict[str, list[Any]], sign_in: Callable[[str], Client]
) -> None:
    method, allowed = ROUTES[route]
    url = reverse(route, args=addresses.get(route, []))
    for who in WHO:
        if route == "run-launch" and who in allowed:
            continue  # its effect is tested with the run's page
        answer = getattr(sign_in(who), method)(url)
        asked_to_sign_in = answer.status_code == 302 and "/sign-in/" in answer["Location"]
        if who in allowed:
            assert answer.status_code in FINE, f"{who or 'no role'}: {answer.status_code}"
            assert not asked_to_sign_in or route == "sign-out"
        elif who == "anonymous":
            assert asked_to_sign_in, f"anonymous got {answer.status_code}"
        else:
            assert answer.status_code == 403, f"{who or 'no role'}: {answer.status_code}"


@pytest.mark.parametrize("route", MUTATIONS)
def test_a_mutation_refuses_get(
    route: str, addresses: dict[str, list[Any]], sign_in: Callable[[str], Client]
) -> None:
    answer = sign_in("admin").get(reverse(route, args=addresses.get(route, [])))
    assert answer.status_code == 405


@pytest.mark.parametrize("route", MUTATIONS)
def test_a_mutation_refuses_a_form_of_another_site(
    route: str, addresses: dict[str, list[Any]]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.make_user("admin"))
    answer = client.post(reverse(route, args=addresses.get(route, [])))
    assert answer.status_code == 403
