"""Labelling blind: what is shown, what is hidden, who may, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from improvement.licences import licence_of
from improvement.models import (
    AuditRow,
    Label,
    LabelItem,
    Trajectory,
    Verdict,
)
from improvement.models.sealed import SealedAnswer
from reviews import labels
from tests import factories, labelled
from tests.labelled import add_verdict, hold, judged, make_item
from tests.pages.people import queries_of, signed_in, text_of

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e<img src=x onerror=alert(1)>"
SECRETS = ("the-secret-evidence", "0.8125", "verdict")


def where(item: LabelItem, route: str = "label", **changed: Any) -> str:
    names = {"agent_name": item.agent.name, "verifier_id": item.verifier_id, "item_id": item.pk}
    if route != "label":
        names.pop("item_id")
    return reverse(route, kwargs=names | changed)


def follow(item: LabelItem) -> str:
    return where(item, "label-next")


@pytest.fixture
def ana() -> User:
    return factories.make_user("reviewer", "ana")


@pytest.fixture
def browser(ana: User) -> Client:
    return signed_in(user=ana)


@pytest.fixture
def item(ana: User) -> LabelItem:
    """One attempt that failed, in ana's hands."""
    return hold(make_item(answer="fail"), ana)


def test_it_shows_the_task_the_attempt_the_answer_and_the_reference(
    browser: Client, item: LabelItem
) -> None:
    page = text_of(browser.get(follow(item)))
    assert item.trajectory.task.prompt in page
    assert "answer 21" in page
    assert "What the task says is right" in page
    assert "&quot;lamp&quot;: 7" in page
    for answer in ("right", "wrong", "unsure"):
        assert f'name="answer" value="{answer}"' in page


def test_attempts_that_wait_for_a_label_are_not_counted_as_candidates_in_the_navigation(
    browser: Client, item: LabelItem
) -> None:
    page = text_of(browser.get(follow(item)))
    assert "1 waiting" in page
    assert "waiting for review" not in page


def test_a_judges_rubric_is_what_people_go_by_too(browser: Client, ana: User) -> None:
    """A judge's own, and that of a judge inside a combination."""
    judge = {"kind": "judge", "version": "1", "settings": {"rubric": "It names " + HOSTILE}}
    inner = {"of": [{"weight": 1, "verifier": judge}, {"kind": "exact", "settings": {}}, "odd"]}
    whole = {"of": [{"kind": "weighted", "version": "1", "settings": inner}, judge]}
    for settings in (judge["settings"], whole):
        verifier = labelled.judge_verifier(settings=settings)
        page = text_of(browser.get(follow(hold(make_item(verifier=verifier), ana))))
        assert page.count("What counts as right") == 1
        assert "It names &lt;script&gt;" in page
        assert "<script>alert" not in page


@pytest.mark.parametrize("answer", ["pass", "fail"])
def test_nothing_on_the_page_tells_what_a_verifier_said(
    answer: str, browser: Client, ana: User
) -> None:
    """Evidence, score and answer are absent, and so is every way to the attempt's own page."""
    (attempt,) = judged([answer])
    verifier = labelled.judge_verifier()
    Verdict.objects.create(
        trajectory=attempt, verifier=verifier, answer=answer, score=0.8125,
        evidence={"reason": "the-secret-evidence", "expected": "x", "step": 5},
    )  # fmt: skip
    item = hold(make_item(attempt, verifier, answer), ana)
    page = text_of(browser.get(follow(item)))
    main = page.partition("<main")[2]
    assert "Your label" in main
    for secret in SECRETS:
        assert secret not in main.lower()
    for way in ("/trajector", attempt.task.key, "score"):
        assert way not in main
    for word in ("badge pass", "badge fail", "note-box pass", "note-box fail", "evidence"):
        assert word not in main


def test_a_pass_and_a_fail_look_the_same(browser: Client, ana: User) -> None:
    """Byte for byte, but for the token of the form and the item's own number."""
    (attempt,) = judged(["pass"])
    pages = []
    for answer in ("pass", "fail"):
        Trajectory.objects.filter(pk=attempt.pk).update(answer=answer)
        verifier = labelled.judge_verifier(version=answer)
        add_verdict(attempt, verifier, answer)
        item = hold(make_item(attempt, verifier, answer, disagreement=answer == "fail"), ana)
        page = text_of(browser.get(follow(item))).partition("<main")[2]
        token = page.partition('csrfmiddlewaretoken" value="')[2].partition('"')[0]
        for own in (token, f"/{verifier.pk}/items/{item.pk}/", f"judge {answer}"):
            page = page.replace(own, "")
        pages.append(page)
    assert pages[0] == pages[1]


def test_a_very_long_step_gives_no_way_to_the_record(browser: Client, ana: User) -> None:
    task = factories.make_task()
    attempt = factories.make_trajectory("pass", task, steps=(("assistant", "x" * 21_000),))
    item = hold(make_item(attempt), ana)
    page = text_of(browser.get(follow(item)))
    assert "shortened" in page
    assert f"/trajectories/{attempt.pk}" not in page


def test_hostile_text_is_shown_as_text(browser: Client, ana: User) -> None:
    task = factories.make_task(prompt=HOSTILE, reference={"right": HOSTILE})
    attempt = factories.make_trajectory(
        "pass", task, steps=(("assistant", HOSTILE),), final_answer=HOSTILE
    )
    item = hold(make_item(attempt), ana)
    page = text_of(browser.get(follow(item)))
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_an_opened_held_out_task_shows_its_answer_and_a_sealed_one_is_not_shown(
    browser: Client, ana: User
) -> None:
    candidate = factories.make_candidate()
    for burnt in (False, True):
        (task,) = factories.make_block(candidate, 1, burnt=burnt).tasks.all()
        item = hold(make_item(factories.make_trajectory("pass", task, candidate)), ana)
        page = text_of(browser.get(follow(item)))
        assert (task.prompt in page) is burnt
        assert ("What the task says is right" in page) is burnt
    assert not SealedAnswer.objects.exists(), "outside the evaluation role nobody sees one"


def test_a_label_is_kept_with_its_note_and_an_audit_row(
    browser: Client, item: LabelItem, ana: User
) -> None:
    answer = browser.post(where(item), {"answer": "right", "note": " neat "})
    assert answer["Location"] == f"{follow(item)}?done={item.pk}"
    label = Label.objects.get()
    assert (label.item, label.labeller, label.answer, label.note) == (item, ana, "right", "neat")
    row = AuditRow.objects.get(verb="label")
    assert (row.actor, row.agent, row.reason) == (ana, item.agent, "neat")
    item.refresh_from_db()
    assert (item.reserved_by, item.reserved_until) == (None, None)


def test_afterwards_it_tells_what_the_verifier_had_said(browser: Client, item: LabelItem) -> None:
    page = text_of(browser.post(where(item), {"answer": "right"}, follow=True))
    assert "The verifier had said" in page
    assert "You disagree." in page
    assert reverse("trajectory", args=[item.trajectory_id]) in page
    other = hold(
        make_item(item.trajectory, labelled.judge_verifier(), "fail"), item.labels.get().labeller
    )
    assert "You agree." in text_of(browser.post(where(other), {"answer": "wrong"}, follow=True))


def test_what_a_verifier_said_is_not_told_to_who_did_not_label(item: LabelItem) -> None:
    labelled.say(item, "right")
    for done in (item.pk, "x", "9" * 400, "", -1):
        page = text_of(signed_in("reviewer").get(f"{follow(item)}?done={done}"))
        assert "The verifier had said" not in page


def test_the_list_says_what_waits_and_what_the_licence_needs(browser: Client) -> None:
    judge = labelled.judge_verifier()
    attempts = judged(["pass"] * 4 + ["fail"] * 2, verifier=judge)
    labelled.make_junk(attempts[0].agent, judge)
    for attempt in attempts[:3]:
        labelled.say(make_item(attempt, judge), "right")
    make_item(attempts[3], judge)
    page = text_of(browser.get(reverse("labels")))
    assert licence_of(attempts[0].agent, judge).reason in page
    assert "27 more accepts labelled right would prove its precision." in page
    assert "no licence" in page
    assert follow(LabelItem.objects.all()[0]) in page


def test_an_engineer_draws_more_and_is_offered_no_label(item: LabelItem) -> None:
    judged(["pass"] * 3, item.agent, item.verifier)
    engineer = signed_in("engineer")
    assert follow(item) not in text_of(engineer.get(reverse("labels")))
    page = text_of(engineer.post(where(item, "labels-draw"), follow=True))
    assert "3 more attempts" in page
    page = text_of(engineer.post(where(item, "labels-draw"), follow=True))
    assert "is drawn already" in page


def test_opening_an_empty_queue_draws_its_first_attempts(browser: Client) -> None:
    verifier = factories.make_verifier()
    attempts = judged(["pass"] * 3, verifier=verifier)
    url = reverse("label-next", args=[attempts[0].agent.name, verifier.pk])
    assert "Is this attempt right?" in text_of(browser.get(url))
    assert LabelItem.objects.count() == 3


def test_without_verdicts_the_list_says_what_to_do(browser: Client) -> None:
    page = text_of(browser.get(reverse("labels")))
    assert "Nothing to label yet" in page
    assert "manage.py improve" in page


def test_peoples_own_verdicts_are_not_offered_for_labelling(browser: Client) -> None:
    judged(["pass"], verifier=labels.person_row())
    assert "Nothing to label yet" in text_of(browser.get(reverse("labels")))


def test_the_list_takes_as_many_queries_for_many_attempts(browser: Client) -> None:
    verifier, agent = factories.make_verifier(), factories.make_agent()
    judged(["pass"], agent, verifier)
    few = queries_of(browser, reverse("labels"))
    for attempt in judged(["pass", "fail", "error"] * 10, agent, verifier):
        if attempt.answer != "error":
            labelled.say(make_item(attempt, verifier, attempt.answer), "right")
    assert queries_of(browser, reverse("labels")) == few
