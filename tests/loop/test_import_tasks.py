"""Bringing tasks into a suite: idempotent, sealed, clustered, every bad line named."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from improvement.ingest.tasks import Line, read
from improvement.jobs import importing
from improvement.jobs.importing import import_tasks, shape_of, verifier_problem
from improvement.jobs.importing.clusters import assigned
from improvement.models import SealedAnswer, Suite, TaskBand, TaskSignature
from improvement.models.sealed import answers_of
from tests.bringing import bring, draft, problem, said

pytestmark = pytest.mark.django_db


def test_every_draft_becomes_a_task_with_its_fields() -> None:
    given = draft(family="boats", level=3, split="dev", verifier={"kind": "number"})
    suite, report = bring([given])
    task = suite.tasks.get()
    assert (report.lines, report.added, report.there, report.bad) == (1, 1, 0, 0)
    assert replace(task.as_record(), cluster="") == given.as_record()
    assert (task.key, task.prompt, task.family, task.level) == ("t-1", given.prompt, "boats", 3)
    assert (task.split, task.reference, task.verifier) == ("dev", {"answer": 1}, given.verifier)
    assert task.fingerprint == task.cluster == given.fingerprint
    assert report.kept == {("dev", "boats"): 1}


def test_splits_follow_the_cluster_and_come_near_60_10_30() -> None:
    suite, report = bring(draft(n) for n in range(600))
    shares = {split: count / 600 for split, count in shape_of(suite).splits.items()}
    assert report.added == 600
    assert shares["train"] == pytest.approx(0.6, abs=0.08)
    assert shares["dev"] == pytest.approx(0.1, abs=0.05)
    assert shares["heldout"] == pytest.approx(0.3, abs=0.08)
    assert all(task.split == assigned(task.cluster) for task in suite.tasks.all())


def test_a_held_out_reference_goes_behind_the_seal() -> None:
    suite, _ = bring([draft(split="heldout")])
    task = suite.tasks.get()
    assert task.reference == {}
    assert SealedAnswer.objects.count() == 0  # nobody sees a row outside the evaluation role
    assert answers_of([task]) == {task.pk: {"answer": 1}}


def test_importing_twice_changes_nothing() -> None:
    drafts = [draft(n) for n in range(60)]
    suite, first = bring(drafts)
    before = list(suite.tasks.order_by("pk").values())
    _, second = bring(drafts)
    assert (first.added, second.added, second.there, second.bad) == (60, 0, 60, 0)
    assert list(suite.tasks.order_by("pk").values()) == before
    assert TaskSignature.objects.count() == 60


def test_a_prompt_twice_in_one_file_is_there_already() -> None:
    suite, report = bring([draft(), draft(), draft(id="other")])
    assert (report.added, report.there, report.bad) == (1, 2, 0)
    assert suite.tasks.get().key == "t-1"


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_the_same_prompt_with_another_reference_is_a_bad_line(split: Any) -> None:
    suite, report = bring([draft(split=split), draft(split=split, reference={"answer": 2})])
    _, again = bring([draft(split=split, reference={"answer": 3}, id="x")], suite)
    assert (report.added, report.bad, again.added, again.bad) == (1, 1, 0, 1)
    for one in (report, again):
        assert one.problems[0].field == "reference"
        assert "t-1" in one.problems[0].message
        assert "answer" not in one.problems[0].message  # nothing of what is sealed


def test_a_truth_is_not_a_number() -> None:
    _, report = bring([draft(reference={"answer": 1}), draft(reference={"answer": True})])
    assert report.bad == 1


def test_numbers_survive_the_database() -> None:
    reference = {"answer": [1, 1.5, 1e22, -0.0, 1e-7, 10**40, "1", True, None, {"a": []}]}
    suite, _ = bring([draft(reference=reference, split="train")])
    assert bring([draft(reference=reference, split="train")], suite)[1].there == 1


def test_an_id_with_other_content_is_a_bad_line() -> None:
    suite, report = bring([draft(1), draft(2, id="t-1")])
    assert said(report) == [(2, "id", "“t-1” is already there with another prompt")]
    _, again = bring([draft(3, id="t-1")], suite)
    assert again.problems[0].field == "id"


@pytest.mark.parametrize(
    ("field", "value"), [("family", "x"), ("level", 2), ("verifier", {"kind": "number"})]
)
def test_other_settings_for_a_task_that_is_there_are_a_bad_line(field: str, value: Any) -> None:
    suite, _ = bring([draft()])
    _, report = bring([draft(**{field: value})], suite)
    assert [(p.field, p.number) for p in report.problems] == [(field, 1)]


def test_near_duplicates_join_one_cluster_and_one_split() -> None:
    alike = [draft(n, prompt=f"{problem(5)} {tail}") for n, tail in enumerate(["", "Now", "NOW!"])]
    suite, report = bring([draft(9), *alike, *(draft(n) for n in range(20, 40))])
    tasks = {task.key: task for task in suite.tasks.all()}
    assert report.added == 24
    assert len({tasks[f"t-{n}"].cluster for n in range(3)}) == 1
    assert len({tasks[f"t-{n}"].split for n in range(3)}) == 1
    shape = shape_of(suite)
    assert (shape.clusters, shape.largest) == (22, 3)


def test_a_near_duplicate_in_a_later_import_joins_too() -> None:
    suite, _ = bring([draft(1, prompt=problem(5), split="heldout")])
    bring([draft(2, prompt=problem(5).upper())], suite)
    one, other = suite.tasks.order_by("pk")
    assert (one.cluster, one.split) == (other.cluster, other.split)
    assert other.split == "heldout"


def test_a_declared_split_that_is_not_the_near_duplicates_is_a_bad_line() -> None:
    first = draft(1, prompt=problem(5), split="train")
    _, report = bring([first, draft(2, prompt=problem(5) + " Now", split="heldout")])
    assert said(report) == [(2, "split", "is heldout, but its near-duplicate “t-1” is in train")]


LEFT = "The old ferry leaves the harbour at nine and carries forty crates of amber tiles"
RIGHT = "every evening it comes back with twelve sailors and a cargo of birch planks for sale"


ONE = f"{LEFT}. {RIGHT}. one two three four five six seven"
OTHER = f"zero zwei drei vier fuenf. {LEFT}. {RIGHT}."
BETWEEN = f"{LEFT}. {RIGHT}."  # like both, which are not like each other


def test_a_line_between_two_clusters_of_one_split_merges_them() -> None:
    suite, _ = bring([draft(1, prompt=ONE, split="train"), draft(2, prompt=OTHER, split="train")])
    assert suite.tasks.values("cluster").distinct().count() == 2
    _, report = bring([draft(3, prompt=BETWEEN)], suite)
    assert report.added == 1
    assert suite.tasks.values("cluster").distinct().count() == 1


def test_a_line_between_two_clusters_of_different_splits_is_a_bad_line() -> None:
    ends = [draft(1, prompt=ONE, split="train"), draft(2, prompt=OTHER, split="heldout")]
    _, report = bring([draft(3, prompt=BETWEEN)], bring(ends)[0])
    assert (report.added, report.problems[0].field) == (0, "prompt")
    assert "“t-2” (heldout)" in report.problems[0].message
    assert "“t-1” (train)" in report.problems[0].message


def test_no_two_alike_prompts_are_in_two_splits() -> None:
    """Every pair of a suite made to be confusing, compared with each other."""
    from improvement.ingest.likeness import shingles

    texts = [f"{problem(n)} {tail}" for n in range(40) for tail in ("", "Please.", "Show work now")]
    suite, _ = bring(draft(n, prompt=text) for n, text in enumerate(texts))
    rows = [(set(shingles(t.prompt).tolist()), t.split) for t in suite.tasks.all()]
    for index, (one, split) in enumerate(rows):
        for other, its in rows[index + 1 :]:
            if len(one & other) / len(one | other) >= 0.85:
                assert split == its


def test_a_suite_that_is_one_cluster_is_usable_and_says_so() -> None:
    suite, report = bring(draft(n, prompt=problem(5) + " x" * n) for n in range(12))
    shape = shape_of(suite)
    assert (report.added, shape.clusters, shape.largest) == (12, 1, 12)
    assert "12 of 12 tasks are near-duplicates" in shape.warning
    assert len(shape.splits) == 1


def test_a_band_keeps_few_tasks() -> None:
    bring(draft(n, prompt=problem(5) + " x" * (n % 3) + "!" * n) for n in range(80))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(n) FROM (SELECT count(*) n FROM {TaskBand._meta.db_table} "
                       "GROUP BY key) AS c")  # fmt: skip
        assert cursor.fetchone()[0] <= 16


def test_a_kill_between_batches_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    lines = [Line(n, draft(n)) for n in range(35)]
    suite = Suite.objects.create(name="boats")

    def killed() -> Iterable[Line]:
        yield from lines[:25]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_tasks(suite, killed())
    assert suite.tasks.count() == 20
    report = import_tasks(suite, lines)
    assert (report.added, report.there) == (15, 20)
    straight = Suite.objects.create(name="straight")
    import_tasks(straight, lines)
    kept = ("key", "split", "cluster")
    assert set(suite.tasks.values_list(*kept)) == set(straight.tasks.values_list(*kept))


def test_the_number_of_queries_of_a_batch_does_not_grow(
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(20):
        bring(draft(n) for n in range(300))


def test_only_the_first_thousand_bad_lines_are_listed() -> None:
    broken = io.BytesIO(b"nonsense\n" * 1200)
    report = import_tasks(Suite.objects.create(name="bad"), read(broken))
    assert (report.bad, len(report.problems)) == (1200, 1000)


def test_an_unknown_verifier_is_named() -> None:
    assert "nonesuch" in verifier_problem({"kind": "nonesuch"})
    assert verifier_problem({"kind": "goal_state"}) == ""
