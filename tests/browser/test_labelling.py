"""A reviewer labels by keyboard in a real browser; the verifier's page tells what came of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from improvement.models import Agent, Label, LabelItem, Verifier
from tests import factories, labelled
from tests.browser.test_decide import sign_in
from tests.labelled import judged, make_item, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def audited() -> tuple[Agent, Verifier]:
    """A judge of the till with 60 labels, most of which agree with it, and three older versions."""
    agent = factories.make_agent("till", title="The till")
    for version, model in (("1", "small"), ("1", "medium"), ("2", "medium")):
        labelled.judge_verifier(version=version, settings={"model": model, "votes": 3})
    rubric = "Say whether the total is right.\nA total without a sum is wrong."
    judge = labelled.judge_verifier(
        version="2", settings={"model": "large", "votes": 5, "rubric": rubric}
    )
    people = [factories.make_user("reviewer") for _ in range(2)]
    for family, passes, fails in (("till-1", 24, 8), ("till-2", 14, 10), ("till-3", 3, 25)):
        answers = ["pass"] * passes + ["fail"] * fails
        for n, attempt in enumerate(judged(answers, agent, judge, family)):
            if n % 2:
                continue
            item = make_item(attempt, judge, attempt.answer, second=n % 10 == 0, weight=2)
            said = "right" if (attempt.answer == "pass") == (n % 12 != 4) else "wrong"
            for person in people[: 2 if item.second else 1]:
                say(item, said, person)
    labelled.make_junk(agent, judge)
    return agent, judge


def test_three_attempts_by_keyboard(page: Any, live_server: Any) -> None:
    agent, verifier = factories.make_agent("till"), factories.make_verifier()
    judged(["pass", "fail", "pass"], agent, verifier)
    sign_in(page, live_server, "reviewer", "ana")
    page.goto(f"{live_server.url}/labels/")
    page.get_by_role("link", name="Label", exact=True).click()
    page.wait_for_selector("#label-form")
    for count, key in enumerate("123", start=1):
        assert page.locator(".previous").count() == (count > 1)
        page.keyboard.press(key)
        page.wait_for_url(f"**done={LabelItem.objects.order_by('pk')[count - 1].pk}")
        page.wait_for_selector(".previous")
    assert [label.answer for label in Label.objects.order_by("pk")] == ["right", "wrong", "unsure"]
    assert "The rest is for others" in page.locator("main").inner_text()
    page.get_by_role("link", name="What the labels say").click()
    page.wait_for_url(f"**/verifiers/{verifier.pk}/")


def test_keys_write_in_the_note_and_can_be_switched_off(page: Any, live_server: Any) -> None:
    agent, verifier = factories.make_agent("till"), factories.make_verifier()
    judged(["pass", "fail"], agent, verifier)
    sign_in(page, live_server, "reviewer", "ana")
    url = f"{live_server.url}{reverse('label-next', args=[agent.name, verifier.pk])}"
    page.goto(url)
    page.click("#note")
    page.keyboard.type("123 lamps")
    assert page.input_value("#note") == "123 lamps"
    page.keyboard.press("Escape")
    page.click("details.menu > summary")
    page.click("text=Single-key shortcuts")
    page.click("details.menu > summary")
    page.locator("main").focus()
    page.keyboard.press("1")
    assert page.input_value("#note") == "123 lamps"
    assert not Label.objects.exists()
    page.get_by_role("button", name="Can't tell").click()
    page.wait_for_selector(".previous")
    assert Label.objects.get().note == "123 lamps"


def test_the_pages_are_quiet_and_fit(page: Any, live_server: Any) -> None:
    """No console error (the fixture looks), no sideways scrolling, the buttons always in sight."""
    agent, judge = audited()
    sign_in(page, live_server, "admin", "root")
    paths = ["/labels/", reverse("label-next", args=[agent.name, judge.pk]), "/verifiers/",
             reverse("verifier", args=[judge.pk])]  # fmt: skip
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for path in paths:
            page.goto(f"{live_server.url}{path}")
            assert page.evaluate(WIDE) <= 0, f"{path} is too wide at {width}"
    page.goto(f"{live_server.url}{paths[1]}")
    box = page.get_by_role("button", name="Right").bounding_box()
    assert box["height"] >= 24
    assert 0 < box["y"] < 844 - box["height"], "on a phone the buttons stay in sight"
