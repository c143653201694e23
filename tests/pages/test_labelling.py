"""Giving a label: reservations, refusals, second labels, and what a label decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from improvement.models import (
    Label,
    LabelItem,
    LicenceEvent,
    Trajectory,
    Verifier,
)
from reviews import labels
from tests import factories, labelled
from tests.labelled import hold, judged, make_item
from tests.pages import scenes
from tests.pages.people import signed_in, text_of

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


@pytest.mark.parametrize("sent", ["", "pass", "Right", "right\x00 ", "<b>"])
def test_an_answer_that_is_none_saves_nothing(sent: str, browser: Client, item: LabelItem) -> None:
    answer = browser.post(where(item), {"answer": sent, "note": "my long thought"})
    assert answer.status_code == 409
    assert "Say right, wrong or can&#x27;t tell" in text_of(answer)
    assert "my long thought" in text_of(answer)
    assert not Label.objects.exists()


def test_twice_by_the_same_person_is_refused(browser: Client, item: LabelItem) -> None:
    browser.post(where(item), {"answer": "right"})
    page = text_of(browser.post(where(item), {"answer": "wrong"}, follow=True))
    assert "your first label stands" in page
    assert Label.objects.get().answer == "right"


def test_a_second_label_is_another_persons_who_does_not_see_the_first(
    browser: Client, item: LabelItem
) -> None:
    LabelItem.objects.update(second=True)
    browser.post(where(item), {"answer": "right", "note": "it-is-fine-I-say"})
    assert "Nothing waits for you" in text_of(browser.get(follow(item)))
    page = text_of(browser.post(where(item), {"answer": "wrong"}, follow=True))
    assert "A second label must be another person" in page
    ben = signed_in(user=factories.make_user("reviewer", "ben"))
    page = text_of(ben.get(follow(item)))
    assert item.trajectory.task.prompt in page
    assert "it-is-fine-I-say" not in page
    assert "ana" not in page
    ben.post(where(item), {"answer": "wrong"})
    assert [label.answer for label in Label.objects.order_by("pk")] == ["right", "wrong"]
    third = signed_in("reviewer")
    assert "Nothing waits for you" in text_of(third.get(follow(item)))


def test_two_people_do_not_get_the_same_attempt(ana: User) -> None:
    verifier = factories.make_verifier()
    attempts = judged(["pass"] * 2, verifier=verifier)
    for attempt in attempts:
        make_item(attempt)
    agent, ben = attempts[0].agent, factories.make_user("reviewer", "ben")
    first = labels.reserve(agent, verifier, ana)
    second = labels.reserve(agent, verifier, ben)
    assert first
    assert second
    assert first != second
    assert labels.reserve(agent, verifier, ana) == first, "what she holds comes back to her"
    assert labels.reserve(agent, verifier, factories.make_user("reviewer")) is None


def test_a_reservation_that_ran_out_comes_back_to_the_queue(ana: User, item: LabelItem) -> None:
    ben = factories.make_user("reviewer", "ben")
    assert labels.reserve(item.agent, item.verifier, ben) is None
    hold(item, ana, minutes=-1)
    taken = labels.reserve(item.agent, item.verifier, ben)
    assert taken
    assert taken.reserved_by == ben


def test_a_late_label_counts_while_nobody_took_the_attempt(
    browser: Client, item: LabelItem, ana: User
) -> None:
    hold(item, ana, minutes=-30)
    browser.post(where(item), {"answer": "wrong"})
    assert Label.objects.get().answer == "wrong"


def test_a_late_label_on_what_somebody_else_reads_is_refused_and_nothing_is_lost(
    browser: Client, item: LabelItem
) -> None:
    hold(item, factories.make_user("reviewer", "ben"))
    answer = browser.post(where(item), {"answer": "wrong", "note": "half a thought"})
    assert answer.status_code == 409
    assert "ben reads this attempt now" in text_of(answer)
    assert "half a thought" in text_of(answer)
    assert "Take the next one" in text_of(answer)
    assert not Label.objects.exists()


def test_a_late_label_on_what_somebody_else_labelled_says_so(
    browser: Client, item: LabelItem
) -> None:
    labelled.say(item, "right")
    page = text_of(browser.post(where(item), {"answer": "wrong"}, follow=True))
    assert "Somebody else labelled this attempt" in page
    assert Label.objects.count() == 1


def test_an_attempt_that_was_never_opened_is_refused(browser: Client) -> None:
    item = make_item()
    answer = browser.post(where(item), {"answer": "right"})
    assert answer.status_code == 409
    assert "Open the attempt from the queue first" in text_of(answer)


def test_an_item_of_another_agent_or_verifier_is_not_found(
    browser: Client, item: LabelItem
) -> None:
    other = factories.make_agent()
    judge = labelled.judge_verifier()
    for changed in ({"agent_name": other.name}, {"verifier_id": judge.pk}, {"item_id": 10**9}):
        assert browser.post(where(item, **changed), {"answer": "right"}).status_code == 404
    assert not Label.objects.exists()


@pytest.mark.parametrize("role", ["", "engineer", "manager"])
def test_who_may_not_label_is_told_who_may(role: str, item: LabelItem) -> None:
    person = signed_in(role)
    for answer in (person.get(follow(item)), person.post(where(item), {"answer": "right"})):
        assert answer.status_code == 403
        assert "reviewer or admin" in text_of(answer)
    assert not Label.objects.exists()


def deciding(ana: User) -> tuple[LabelItem, Trajectory]:
    (attempt,) = judged(["error"])
    verdict = attempt.verdicts.get()
    item = make_item(attempt, verdict.verifier, "error", decides=True)
    return hold(item, ana), attempt


@pytest.mark.parametrize(
    ("said", "answer", "score"), [("right", "pass", 1.0), ("wrong", "fail", 0.0)]
)
def test_a_label_on_what_was_left_to_a_person_is_its_verdict(
    said: str, answer: str, score: float, browser: Client, ana: User
) -> None:
    item, attempt = deciding(ana)
    page = text_of(browser.post(where(item), {"answer": said}, follow=True))
    assert "That is its verdict now" in page
    verdict = attempt.verdicts.get(verifier__name="person")
    assert (verdict.answer, verdict.score) == (answer, score)
    assert verdict.evidence["labelled by"] == "ana"
    attempt.refresh_from_db()
    assert attempt.answer == answer


def test_who_cannot_tell_leaves_it_to_somebody_else(browser: Client, ana: User) -> None:
    item, attempt = deciding(ana)
    browser.post(where(item), {"answer": "unsure"})
    attempt.refresh_from_db()
    assert attempt.answer == "error"
    assert not Verifier.objects.filter(name="person").exists()
    ben = signed_in("reviewer")
    assert "your label becomes its verdict" in text_of(ben.get(follow(item)))
    ben.post(where(item), {"answer": "right"})
    attempt.refresh_from_db()
    assert attempt.answer == "pass"


def test_a_person_who_was_only_asked_gets_a_verdict_beside_the_question(
    browser: Client, ana: User
) -> None:
    """The verifier that asks for people is named "person" too; its error stays in the record."""
    asks = factories.make_verifier(name="person", version="1")
    (attempt,) = judged(["error"], verifier=asks)
    item = hold(make_item(attempt, asks, "error", decides=True), ana)
    browser.post(where(item), {"answer": "right"})
    answers = {v.verifier == asks: v.answer for v in attempt.verdicts.all()}
    assert answers == {True: "error", False: "pass"}


def test_labels_earn_a_judge_its_licence_and_history_keeps_it(ana: User) -> None:
    judge = labelled.judge_verifier()
    agent = factories.make_agent(recipe={"licence_precision": 0.6, "licence_labels": 5})
    attempts = judged(["pass"] * 5, agent, judge)
    labelled.make_junk(agent, judge)
    for attempt in attempts:
        assert not LicenceEvent.objects.filter(granted=True).exists()
        item = hold(make_item(attempt, judge), ana)
        labels.label(item, person=ana, answer="right")
    event = LicenceEvent.objects.get()
    assert (event.granted, event.labels) == (True, 5)


@pytest.mark.django_db(transaction=True)
def test_a_double_press_gives_one_label(item: LabelItem, ana: User) -> None:
    def press() -> str:
        try:
            labels.label(item, person=ana, answer="right")
        except labels.LabelledAlready:
            return "refused"
        return "saved"

    assert sorted(scenes.together(4, press)) == ["refused"] * 3 + ["saved"]
    assert Label.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_people_who_come_at_the_same_moment_get_different_attempts() -> None:
    verifier = factories.make_verifier()
    attempts = judged(["pass"] * 4, verifier=verifier)
    for attempt in attempts:
        make_item(attempt)
    people = iter([factories.make_user("reviewer") for _ in range(4)])

    def take() -> str:
        got = labels.reserve(attempts[0].agent, verifier, next(people))
        return str(got and got.pk)

    assert len(set(scenes.together(4, take))) == 4
