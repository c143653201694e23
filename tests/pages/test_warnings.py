"""Warnings are acknowledged and holds released by managers, with a reason, once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from improvement.jobs import launch
from improvement.models import AuditRow, Run
from improvement.promotion import NoReason
from reviews import brakes
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(factories.make_user("manager", "mia"))
    return client


def test_an_open_warning_is_shown_until_it_is_acknowledged(manager: Client) -> None:
    warning = factories.make_warning(factories.make_candidate())
    assert warning.sentence in manager.get(reverse("warnings")).content.decode()
    url = reverse("warning-acknowledge", args=[warning.pk])
    manager.post(url, {"reason": "It solves more, so it is surer"})
    assert warning.sentence not in manager.get(reverse("warnings")).content.decode()
    text = manager.get(reverse("warnings") + "?state=all").content.decode()
    assert "It solves more, so it is surer" in text
    row = AuditRow.objects.get(verb="acknowledge")
    assert row.reason == "It solves more, so it is surer"


def test_a_warning_is_acknowledged_once(manager: Client) -> None:
    warning = factories.make_warning(factories.make_candidate())
    url = reverse("warning-acknowledge", args=[warning.pk])
    manager.post(url, {"reason": "first"})
    answer = manager.post(url, {"reason": "second"}, follow=True)
    assert "mia acknowledged this warning" in answer.content.decode()
    warning.refresh_from_db()
    assert warning.acknowledged_because == "first"
    assert AuditRow.objects.count() == 1


def test_a_reason_is_needed(manager: Client) -> None:
    candidate = factories.make_candidate()
    warning, hold = factories.make_warning(candidate), factories.make_hold(candidate.agent)
    for url in (
        reverse("warning-acknowledge", args=[warning.pk]),
        reverse("hold-release", args=[hold.pk]),
    ):
        assert "Say why" in manager.post(url, {"reason": " "}, follow=True).content.decode()
    assert not AuditRow.objects.exists()


def test_a_released_hold_lets_the_loop_run_and_acknowledges_its_warning(manager: Client) -> None:
    candidate = factories.make_candidate()
    warning = factories.make_warning(candidate, "red")
    hold = factories.make_hold(candidate.agent, warning)
    assert "is on hold" in manager.get(reverse("warnings")).content.decode()
    manager.post(reverse("hold-release", args=[hold.pk]), {"reason": "an outlier"})
    assert candidate.agent.hold is None
    warning.refresh_from_db()
    assert warning.acknowledged_because == "an outlier"
    assert set(AuditRow.objects.values_list("verb", flat=True)) == {"release", "acknowledge"}


@pytest.mark.parametrize(("state", "left", "goes_on"), [
    ("done", 2, True), ("done", 0, False), ("review", 2, False), ("failed", 2, False),
])  # fmt: skip
def test_cycles_that_waited_for_the_release_go_on(
    state: str,
    left: int,
    goes_on: bool,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    launched: list[Run] = []
    monkeypatch.setattr(launch, "launch_next", launched.append)
    run = factories.make_run(state=state, cycles_left=left)
    hold, mia = factories.make_hold(run.agent), factories.make_user("manager")
    with django_capture_on_commit_callbacks(execute=True):
        brakes.release(hold, actor=mia, reason="an outlier")
    assert launched == ([run] if goes_on else [])


def test_a_hold_is_released_once(manager: Client) -> None:
    hold = factories.make_hold(factories.make_agent())
    url = reverse("hold-release", args=[hold.pk])
    manager.post(url, {"reason": "first"})
    answer = manager.post(url, {"reason": "second"}, follow=True)
    assert "mia released this hold" in answer.content.decode()


def test_a_reviewer_reads_and_has_no_form(client: Client) -> None:
    client.force_login(factories.make_user("reviewer"))
    candidate = factories.make_candidate()
    factories.make_hold(candidate.agent, factories.make_warning(candidate, "red"))
    text = client.get(reverse("warnings")).content.decode()
    assert "A manager or admin can acknowledge it" in text
    assert "<textarea" not in text


def test_the_verbs_themselves_need_a_reason() -> None:
    warning = factories.make_warning(factories.make_candidate())
    with pytest.raises(NoReason):
        brakes.acknowledge(warning, actor=factories.make_user("manager"), reason="")


def test_no_warning_says_so(manager: Client) -> None:
    assert "No open warning" in manager.get(reverse("warnings")).content.decode()
