"""May this verifier be trusted, for which agent, and why?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from improvement.licences import licence_of, note_licence
from improvement.models import Agent, LabelItem, Trajectory, Verdict, Verifier
from reviews import reliability, verifiers
from tests import factories, labelled
from tests.labelled import judged, make_item, make_junk, say
from tests.pages.people import queries_of, signed_in, text_of

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def page_of(verifier: Verifier, role: str = "manager") -> str:
    answer = signed_in(role).get(reverse("verifier", args=[verifier.pk]))
    assert answer.status_code == 200
    return text_of(answer)


def audited(
    agent: Agent,
    verifier: Verifier,
    said: Sequence[tuple[str, str, int]],
    family: str = "till-1",
    weight: float = 1.0,
) -> list[LabelItem]:
    """`said` holds (verdict, label, how many)."""
    items = []
    for answer, label, count in said:
        for attempt in judged([answer] * count, agent, verifier, family):
            item = make_item(attempt, verifier, answer, weight=weight)
            say(item, label)
            items.append(item)
    return items


def test_before_any_verdict_the_pages_say_what_to_do() -> None:
    assert "No verifier has worked yet" in text_of(signed_in().get(reverse("verifiers")))
    page = page_of(factories.make_verifier())
    assert "It has judged nothing yet" in page


def test_without_a_label_the_page_says_why_it_is_not_trusted_and_what_to_do() -> None:
    judge = labelled.judge_verifier()
    (attempt, *_) = judged(["pass", "fail"], verifier=judge)
    make_junk(attempt.agent, judge)
    page = page_of(judge, "reviewer")
    assert f"Not trusted for {attempt.agent}" in page
    assert licence_of(attempt.agent, judge).reason in page
    assert "no accept labelled yet" in page
    assert reverse("label-next", args=[attempt.agent.name, judge.pk]) in page
    assert "A reviewer or admin labels." in page_of(judge, "manager")


def test_the_page_tells_how_many_right_labels_would_prove_its_precision() -> None:
    """Of 40 accepts 3 were wrong: the bound is .83, and .9 is needed."""
    verifier, agent = factories.make_verifier(), factories.make_agent()
    audited(agent, verifier, [("pass", "right", 37), ("pass", "wrong", 3)])
    make_junk(agent, verifier)
    (row,) = verifiers.trust([verifier])
    assert row.more
    assert f"{row.more} more accepts labelled right would prove" in page_of(verifier)
    audited(agent, verifier, [("pass", "right", row.more)])
    (row,) = verifiers.trust([verifier])
    assert row.licence.valid
    assert row.more is None


def test_the_first_screen_tells_for_which_agent_it_is_trusted_and_why() -> None:
    verifier = factories.make_verifier()
    good, bad = factories.make_agent("good"), factories.make_agent("bad")
    for agent in (good, bad):
        judged(["pass"], agent, verifier)
        make_junk(agent, verifier, passed=agent == good)
    page = page_of(verifier)
    assert "Trusted for good" in page
    assert "Not trusted for bad" in page
    assert "The junk battery failed: 1 of 1 tries" in page


def test_precision_and_recall_weigh_each_stratum_by_its_size() -> None:
    """20 accepts stand for 80 and 10 refusals for 20, of which 1 label in 10 is right."""
    verifier, agent = factories.make_verifier(), factories.make_agent()
    audited(agent, verifier, [("pass", "right", 18), ("pass", "wrong", 2)], weight=4)
    audited(agent, verifier, [("fail", "right", 1), ("fail", "wrong", 9)], weight=2)
    (row,) = verifiers.trust([verifier])
    assert row.figures.precision
    assert row.figures.recall
    assert row.figures.precision.value == pytest.approx(0.9)
    assert row.figures.recall.value == pytest.approx(72 / (72 + 2))
    assert (row.figures.labels, row.figures.accepts, row.figures.wrongly_refused) == (30, 20, 1)
    page = page_of(verifier)
    assert "90.0 %" in page
    assert "97.3 %" in page


def test_who_cannot_tell_counts_nowhere() -> None:
    verifier, agent = factories.make_verifier(), factories.make_agent()
    audited(agent, verifier, [("pass", "right", 4), ("pass", "unsure", 3)])
    (row,) = verifiers.trust([verifier])
    assert row.figures.labels == 4
    assert row.figures.precision
    assert row.figures.precision.value == 1.0


def test_two_people_who_contradict_each_other_count_as_wrong_and_lower_kappa() -> None:
    verifier, agent = factories.make_verifier(), factories.make_agent()
    items = audited(agent, verifier, [("pass", "right", 3), ("fail", "wrong", 3)])
    LabelItem.objects.update(second=True)
    for item in items:
        say(item, "right" if item in items[:2] else "wrong")
    (row,) = verifiers.trust([verifier])
    assert row.figures.precision
    assert row.figures.precision.value == pytest.approx(2 / 3)
    assert row.kappa
    assert row.kappa.value == pytest.approx(2 / 3)
    assert row.doubles == 6


def test_each_family_has_its_figures_and_the_purity_of_its_harvest() -> None:
    verifier, agent = factories.make_verifier(), factories.make_agent()
    audited(agent, verifier, [("pass", "right", 9), ("pass", "wrong", 1)], "easy")
    audited(agent, verifier, [("fail", "wrong", 9), ("fail", "right", 1)], "hard")
    judged(["pass"] + ["fail"] * 30, agent, verifier, "hard")
    rows = {f.family: f for f in verifiers.family_rows(verifiers.trust([verifier])[0])}
    assert (rows["hard"].passes, rows["hard"].fails) == (1, 40)
    easy, hard = rows["easy"].purity, rows["hard"].purity
    assert easy
    assert hard
    assert easy.value > 0.95 > 0.5 > hard.value
    assert easy.low < 0.9, "few labels say little about the rate of false passes"
    assert rows["hard"].near_chance
    assert not rows["easy"].near_chance
    assert "near its error rate" in page_of(verifier)


def test_a_sealed_attempt_is_counted_nowhere() -> None:
    candidate, verifier = factories.make_candidate(), factories.make_verifier()
    judged(["pass"], candidate.agent, verifier)
    (task,) = factories.make_block(candidate, 1).tasks.all()
    attempt = factories.make_trajectory("unverified", task, candidate)
    labelled.add_verdict(attempt, verifier, "fail")
    (row,) = verifiers.trust([verifier])
    assert row.judged == 1
    assert [f.fails for f in verifiers.family_rows(row)] == [0]


def test_disagreements_lead_to_their_attempts_but_not_while_a_second_label_waits() -> None:
    verifier, agent = factories.make_verifier(), factories.make_agent()
    (item,) = audited(agent, verifier, [("pass", "wrong", 1)])
    audited(agent, verifier, [("pass", "right", 1)])
    link = reverse("trajectory", args=[item.trajectory_id])
    page = page_of(verifier)
    assert page.partition("Where people disagree with it")[2].count("/trajectories/") == 1
    assert link in page
    LabelItem.objects.filter(pk=item.pk).update(second=True)
    assert link not in page_of(verifier)


def test_versions_tell_what_changed_between_them() -> None:
    first = factories.make_verifier(name="judge", settings={"model": "small", "votes": 3})
    second = factories.make_verifier(name="judge", settings={"model": "large", "votes": 3})
    third = factories.make_verifier(name="judge", version="2", settings={"model": "large"})
    other = factories.make_verifier(name="exact")
    page = page_of(first).partition('id="versions"')[2]
    for row in (second, third):
        assert reverse("verifier", args=[row.pk]) in page
    assert reverse("verifier", args=[other.pk]) not in page
    changed = {v.row.pk: v.changed for v in verifiers.versions(first)}
    assert changed == {third.pk: ["code", "votes"], second.pk: ["model"], first.pk: []}


def test_the_licence_history_is_kept_with_its_reasons() -> None:
    verifier = factories.make_verifier()
    (attempt,) = judged(["pass"], verifier=verifier)
    for passed in (True, False):
        make_junk(attempt.agent, verifier, passed=passed)
        note_licence(attempt.agent, verifier)
    history = page_of(verifier).partition("Licence history")[2]
    assert history.index("withdrawn") < history.index("granted")
    assert "The junk battery failed" in history


def test_settings_are_shown_without_what_looks_like_a_key() -> None:
    settings = {
        "rubric": HOSTILE,
        "max_tokens": 300,
        "headers": [{"api_key": "k-123"}, {"Authorization": "Bearer b-456"}],
        "url": "https://me:p-789@judge.example/v1",
    }
    page = page_of(factories.make_verifier(name="judge", settings=settings))
    for secret in ("k-123", "b-456", "p-789", "<script>alert", "<img src=x"):
        assert secret not in page
    for shown in ("300", "hidden", "judge.example", "&lt;script&gt;"):
        assert shown in page


def test_what_the_junk_battery_tried_is_shown_as_text() -> None:
    verifier = factories.make_verifier()
    (attempt,) = judged(["pass"], verifier=verifier)
    tries = [{"kind": "code_payload", "task": "t-1", "answer": "pass", "expected": "fail",
              "reason": HOSTILE, "output": HOSTILE, "ok": False}, {"kind": "odd"}]  # fmt: skip
    fine = [{"kind": "empty", "answer": "fail", "ok": True}] * 300
    make_junk(attempt.agent, verifier, passed=False, rows=[*fine, *tries])
    page = page_of(verifier)
    assert "Code payload" in page
    assert "a defect" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_people_are_shown_as_people_and_never_as_licensed() -> None:
    from reviews.labels import person_row

    judged(["pass"], verifier=person_row())
    page = page_of(person_row())
    assert "People decide for" in page
    assert "licensed" not in page.partition("<main")[2]


def test_the_list_has_a_row_for_each_agent_with_its_figures() -> None:
    verifier = factories.make_verifier()
    for name in ("one", "two"):
        agent = factories.make_agent(name)
        audited(agent, verifier, [("pass", "right", 3)])
        make_junk(agent, verifier, passed=name == "one")
    idle = factories.make_verifier(name="new")
    page = text_of(signed_in().get(reverse("verifiers"))).partition("<tbody")[2]
    assert page.count(f'href="{reverse("verifier", args=[verifier.pk])}"') == 2
    assert "100.0 %" in page
    assert "licensed" in page
    assert "no licence" in page
    assert reverse("verifier", args=[idle.pk]) in page
    assert "has judged nothing yet" in page


@pytest.mark.parametrize("asked", ["?before=x", "?after=-1", "?before=" + "9" * 40])
def test_a_page_that_is_none_is_the_newest(asked: str) -> None:
    factories.make_verifier()
    assert signed_in().get(reverse("verifiers") + asked).status_code == 200


def test_an_unknown_verifier_is_not_found() -> None:
    assert signed_in().get(reverse("verifier", args=[10**8])).status_code == 404


def test_ten_thousand_verdicts_take_as_many_queries_as_one(
    django_assert_num_queries: Any,
) -> None:
    verifier, agent = factories.make_verifier(), factories.make_agent()
    (model,) = audited(agent, verifier, [("pass", "right", 1)])
    client = signed_in()
    urls = [reverse("verifiers"), reverse("verifier", args=[verifier.pk])]
    before = [queries_of(client, url) for url in urls]
    _many(model.trajectory, verifier, 10_000)
    with connection.cursor() as cursor:  # as the server does by itself within a minute
        cursor.execute("ANALYZE improvement_trajectory, improvement_verdict")
    audited(agent, verifier, [("fail", "wrong", 20), ("pass", "wrong", 20)], "till-2")
    for url, count in zip(urls, before, strict=True):
        extra = 1 if url == urls[1] else 0  # the attempts of the disagreements
        with django_assert_num_queries(count + extra):
            client.get(url)


def _many(model: Trajectory, verifier: Verifier, count: int) -> None:
    """Attempts at one task by the thousand."""
    rows: list[Trajectory] = []
    for sample in range(1, count + 1):
        row = Trajectory.objects.get(pk=model.pk) if not rows else _copy(rows[0])
        row.pk, row.sample, row._state.adding = None, sample, True
        rows.append(row)
    made = Trajectory.objects.bulk_create(rows, batch_size=2000)
    Verdict.objects.bulk_create(
        [
            Verdict(trajectory=row, verifier=verifier, answer="pass", score=1.0, evidence={})
            for row in made
        ],
        batch_size=2000,
    )
    assert reliability.verdict_counts([verifier])[verifier.pk, model.agent_id]["pass"] > count


def _copy(row: Trajectory) -> Trajectory:
    fields = {f.attname: getattr(row, f.attname) for f in Trajectory._meta.concrete_fields}
    return Trajectory(**fields)
