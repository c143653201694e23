"""Approve, reject and roll back, clicked through in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from improvement.models import Candidate
from tests import factories
from tests.browser import story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def sign_in(page: Any, site: Any, role: str, name: str) -> None:
    factories.make_user(role, name)
    page.goto(f"{site.url}/sign-in/")
    page.fill("#id_username", name)
    page.fill("#id_password", factories.PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{site.url}/")


def champion(candidate: Candidate) -> str:
    return str(candidate.agent.champion)


def test_a_reviewer_approves_and_the_champion_changes(page: Any, live_server: Any) -> None:
    candidate = story.tell()
    sign_in(page, live_server, "reviewer", "ana")
    page.goto(f"{live_server.url}/candidates/")
    page.click("text=till-4")
    assert page.locator("#gate").inner_text().count("33 wins, 2 losses") >= 1
    page.click("[data-decide=dialog-approve]")
    assert page.locator("#dialog-approve").is_hidden(), "without a reason no dialog opens"
    page.fill("#reason", "Twice as many tasks, two losses that I read.")
    page.click("[data-decide=dialog-approve]")
    dialog = page.locator("#dialog-approve")
    assert "Make till-4 the champion of till?" in dialog.inner_text()
    assert "Twice as many tasks" in dialog.inner_text()
    dialog.locator("button[value=approve]").click()
    page.wait_for_selector("text=till-4 is approved")
    assert champion(candidate) == "till-4"
    assert page.locator("#reason").count() == 0
    assert "Twice as many tasks" in page.locator("#decide").inner_text()


def test_a_reviewer_rejects_and_the_champion_stays(page: Any, live_server: Any) -> None:
    candidate = story.tell()
    sign_in(page, live_server, "reviewer", "ana")
    page.goto(f"{live_server.url}/candidates/{candidate.pk}/")
    page.fill("#reason", "It forgets the rugs.")
    page.click("[data-decide=dialog-reject]")
    page.click("#dialog-reject button[value=reject]")
    page.wait_for_selector("text=till-4 is rejected")
    assert champion(candidate) == "till-2"


def test_what_was_written_survives_a_reload(page: Any, live_server: Any) -> None:
    candidate = story.tell()
    sign_in(page, live_server, "reviewer", "ana")
    page.goto(f"{live_server.url}/candidates/{candidate.pk}/")
    page.fill("#reason", "Half a thought")
    page.reload()
    assert page.input_value("#reason") == "Half a thought"


def test_a_manager_rolls_back_through_the_dialog(page: Any, live_server: Any) -> None:
    candidate = story.tell()
    sign_in(page, live_server, "manager", "mia")
    page.goto(f"{live_server.url}/deployments/")
    page.click("text=Roll back to till-1")
    dialog = page.locator("dialog[open]")
    assert "Roll till back to till-1?" in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    assert champion(candidate) == "till-2"
    page.click("text=Roll back to till-1")
    page.select_option("dialog[open] select", label="Approved by mistake")
    page.click("dialog[open] button[type=submit]")
    page.wait_for_selector("text=till-1 serves till now")
    assert champion(candidate) == "till-1"


def test_the_pairs_are_filtered_in_place_and_open_side_by_side(page: Any, live_server: Any) -> None:
    candidate = story.tell()
    sign_in(page, live_server, "engineer", "eva")
    page.goto(f"{live_server.url}/candidates/{candidate.pk}/")
    page.click("#pairs .tile.fail")
    page.wait_for_url("**show=loss**")
    page.wait_for_function("document.querySelectorAll('#pairs tbody tr').length === 2")
    page.click("#pairs tbody tr:first-child a[data-row]")
    page.wait_for_selector(".pair-sides")
    assert page.locator(".pair-side").count() == 2


def test_every_page_is_quiet_and_fits(page: Any, live_server: Any) -> None:
    """No console error (the fixture looks), no sideways scrolling, charts drawn under the CSP."""
    candidate = story.tell()
    item = candidate.evaluations.get().items.first()
    assert item
    sign_in(page, live_server, "admin", "root")
    pages = ("candidates/", f"candidates/{candidate.pk}/", "deployments/", "trends/", "warnings/",
             f"candidates/{candidate.pk}/pairs/{item.pk}/", "audit/", "")  # fmt: skip
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for path in pages:
            page.goto(f"{live_server.url}/{path}")
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) <= 0, f"/{path} is too wide at {width}"
    page.goto(f"{live_server.url}/trends/")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-chart]')].every(c => c.dataset.drawn)"
    )
    assert page.locator("[data-chart] svg.main-svg").count() > 6


def test_a_point_of_the_trend_opens_its_candidate(page: Any, live_server: Any) -> None:
    candidate = story.tell()
    sign_in(page, live_server, "manager", "mia")
    page.goto(f"{live_server.url}/trends/")
    page.wait_for_selector("#heldout-title")
    page.wait_for_function("document.querySelector('[data-chart=heldout]').dataset.drawn")
    place = page.locator("[data-chart=heldout] .scatterlayer .point").last
    box = place.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/candidates/*/")
    assert "till-" in page.title()
    assert candidate
