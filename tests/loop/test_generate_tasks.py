"""Tasks from reasoning-gym families: made in a child, split by what is their own, scored behind
the wall, and the families with defective scorers refused."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from improvement.ingest import reasoning_gym
from improvement.ingest.reasoning_gym import GymMissing, drafts, families, own_words
from improvement.ingest.reasoning_gym_child import plain
from improvement.ingest.tasks import Draft, Line
from improvement.jobs.importing import shape_of
from improvement.models import AuditRow, Suite
from improvement.records import Judgement, TaskRecord
from improvement.verifiers import reasoning_gym as verifier_module
from improvement.verifiers.base import trajectory_of
from improvement.verifiers.build import build
from improvement.verifiers.families import PLAIN, REFUSED, unfit

VERIFIER = build("reasoning_gym")
LARGE = os.environ.get("PAWL_FAULTS") == "large"
WANTED = ["chain_sum", "spell_backward", "countdown", "simple_integration", "n_queens"]
WANTED += ["binary_matrix", "knights_knaves", "word_ladder", "polynomial_multiplication"]
WANTED += ["string_insertion", "spiral_matrix", "intermediate_integration"]
HIGHER = ("chain_sum", "countdown", "simple_integration", "polynomial_multiplication")


@pytest.fixture(scope="module")
def made() -> dict[str, list[Draft]]:
    """Two tasks of each wanted family, and some of a higher level."""
    wanted = [(family, 1, 2) for family in WANTED] + [(family, 2, 1) for family in HIGHER]
    found: dict[str, list[Draft]] = {}
    for line in drafts(wanted, seed=5):
        assert line.draft, line.problems
        found.setdefault(line.draft.family, []).append(line.draft)
    return found


def record(draft: Draft) -> TaskRecord:
    """As it comes back from the database."""
    return Draft(
        draft.id, draft.prompt, json.loads(json.dumps(draft.reference)), draft.verifier,
        draft.family, draft.level,
    ).as_record()  # fmt: skip


def judged(draft: Draft, answer: str) -> Judgement:
    task = record(draft)
    return VERIFIER.judge(task, trajectory_of(task, answer))


@pytest.mark.parametrize("family", WANTED)
def test_the_gold_passes_and_junk_fails(made: dict[str, list[Draft]], family: str) -> None:
    for draft in made[family]:
        gold = VERIFIER.gold(record(draft))
        assert gold
        assert (judged(draft, gold).answer, judged(draft, gold).score) == ("pass", 1.0)
    first, other = made[family][:2]
    for junk in ("", "nan", "[]", first.prompt, "a" * 5000, f"{other.reference['answer']} ?"):
        assert judged(first, junk).answer == "fail", junk


JUNK = ["", " ", "a", "0", "1", "-1", "[]", "{}", "[[]]", "None", "nan", "inf", "True", "yes", "No"]
JUNK += ["heads", "1/0", "?", "I don't know", "The answer is unknown.", "pass", "a" * 5000]

OPEN = ("jugs", "n_queens")  # another task's answer can be right here too


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(set(families()) - set(REFUSED)) if LARGE else [])
def test_no_family_passes_junk(family: str) -> None:
    found = [line.draft for line in drafts([(family, 1, 3)], seed=11) if line.draft]
    golds = [str(draft.reference["answer"]) for draft in found]
    for draft, gold in zip(found, golds, strict=True):
        others = [other for other in golds if other != gold and family not in OPEN]
        wrong = [f"-{gold}", f"17 {gold}"] if gold.strip("0").isdigit() else []
        for junk in [*JUNK, draft.prompt, *others, "\n".join(golds), *wrong]:
            if junk.casefold() != gold.casefold():
                assert judged(draft, junk).answer != "pass", (junk[:80], gold[:80])


def test_partial_credit_fails_with_its_score(made: dict[str, list[Draft]]) -> None:
    draft = made["chain_sum"][0]
    found = judged(draft, f"The answer is {draft.reference['answer']}.")
    assert found.answer == "fail"
    assert found.score
    assert 0 < found.score < 1


HOSTILE = [
    "__import__('os').system('id')",
    "().__class__.__base__.__subclasses__()",
    "(lambda: 1)()",
    "exec('x=1')",
    "1 if x else 2",
    "sin.__self__",
    "x.args",
    "[x for x in (1,)][0]",
    "f'{1}'",
    "open(1)",
    "sympify(1)",
    "ｅval(1)",
    "1_000",
    "0xff",
    "True",
]


@pytest.mark.parametrize("family", sorted(PLAIN))
@pytest.mark.parametrize("answer", HOSTILE)
def test_nothing_that_could_run_gets_to_a_scorer_that_evaluates(family: str, answer: str) -> None:
    assert "plain form" in unfit(family, answer, None)


@pytest.mark.parametrize(
    ("family", "answer"),
    [
        ("simple_integration", "2*X**9 - X**8/2 + sin(X) + C"),
        ("intermediate_integration", "-cos(3*x - 10)**3/3 + 0.5*exp(x) + C"),
        ("countdown", "58 + 39 - (19*2)/1.5"),
        ("polynomial_multiplication", "-336600*y**9 + 3*x*y"),
        ("n_queens", "_ Q _ _\n_ _ _ Q"),
        ("chain_sum", "__import__('os')"),  # compared as text: nothing evaluates it
    ],
)
def test_plain_answers_do(family: str, answer: str) -> None:
    assert unfit(family, answer, None) == ""


def test_an_answer_that_goes_on_fails_where_the_scorer_would_not_see_it() -> None:
    assert unfit("spell_backward", "olleh dlrow", "olleh") == "the answer says more than was asked"
    assert unfit("spell_backward", "olleh", "olleh") == ""


@pytest.mark.parametrize("family", sorted(REFUSED))
def test_a_refused_family_is_an_error_with_the_reason(family: str) -> None:
    reference = {"family": family, "level": 1, "answer": "1", "metadata": {}}
    task = TaskRecord("t", family, 1, "train", "How many?", reference, "f")
    found = VERIFIER.judge(task, trajectory_of(task, "1"))
    assert (found.answer, found.score) == ("error", None)
    assert REFUSED[family] in found.evidence["reason"]


@pytest.mark.parametrize("reference", [{}, {"family": "chain_sum", "answer": "1", "metadata": 7j}])
def test_a_reference_that_can_not_be_read_is_an_error(reference: dict[str, Any]) -> None:
    task = TaskRecord("t", "chain_sum", 1, "train", "How many?", reference, "f")
    assert VERIFIER.judge(task, trajectory_of(task, "1")).answer == "error"


def test_a_scorer_that_does_not_work_is_an_error_not_a_fail(made: dict[str, list[Draft]]) -> None:
    reference = dict(made["countdown"][0].reference) | {"metadata": {}}
    task = TaskRecord("t", "countdown", 1, "train", "How many?", reference, "f")
    broken = TaskRecord("t", "nonesuch", 1, "train", "?", reference | {"family": "nonesuch"}, "f")
    for each in (task, broken):
        assert VERIFIER.judge(each, trajectory_of(each, "1+1")).answer in ("error", "fail")
    assert VERIFIER.judge(broken, trajectory_of(broken, "1+1")).answer == "error"


def test_a_wall_that_is_missing_is_an_error(
    made: dict[str, list[Draft]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier_module, "_score", lambda *_: "the wall against fork is missing")
    found = judged(made["chain_sum"][0], "1")
    assert (found.answer, found.score) == ("error", None)
    assert "wall" in found.evidence["reason"]


def test_the_same_seed_makes_the_same_tasks_and_another_does_not() -> None:
    def texts(seed: int) -> list[tuple[str, str]]:
        lines = drafts([("family_relationships", 1, 4), ("chain_sum", 1, 2)], seed)
        return [(line.draft.id, line.draft.prompt) for line in lines if line.draft]

    assert texts(1) == texts(1)
    assert not {prompt for _, prompt in texts(1)} & {prompt for _, prompt in texts(2)}


def test_a_level_that_can_not_be_made_is_named_and_the_others_go_on() -> None:
    lines = list(drafts([("knight_swap", 1, 2), ("chain_sum", 1, 1)], 0))
    assert [line.draft is None for line in lines] == [True, False]
    assert lines[0].problems[0].field == "knight_swap"
    assert lines[0].problems[0].message.startswith("level 1: ")


def test_the_words_of_the_template_are_left_out() -> None:
    words = "Here is a long instruction for all. How many legs have {} dogs? Say only the number."
    texts = [words.format(n) for n in range(8)]
    for number, own in enumerate(own_words(texts)):
        assert str(number) in own
        assert "instruction" not in own
    assert own_words(["alone in its family"]) == ["alone in its family"]


def test_subclasses_become_plain_values() -> None:
    class Name(str):
        __slots__ = ()

    found = plain({Name("a"): [Name("b"), (Name("c"), True, 1.5, {2})]})
    assert found == {"a": ["b", ("c", True, 1.5, {2})]}
    assert type(next(iter(found))) is str
    assert found["a"][1][1] is True


def test_every_family_but_the_refused_can_be_named() -> None:
    known = families()
    assert len(known) == 106
    assert set(REFUSED) <= set(known)
    assert known["chain_sum"] > 1


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("generate_tasks", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_makes_a_suite_whose_families_are_not_one_cluster() -> None:
    arguments = ("gym", "--family", "chain_sum,spell_backward", "--count", "60", "--level", "1-2")
    page = command(*arguments)
    suite = Suite.objects.get(name="gym")
    shape = shape_of(suite)
    assert "added" in page
    assert shape.tasks > 100
    assert shape.clusters > 80
    assert set(shape.splits) == {"train", "dev", "heldout"}
    assert set(suite.tasks.values_list("level", flat=True)) == {1, 2}
    assert "0 added" in command(*arguments)
    assert list(AuditRow.objects.values_list("verb", flat=True)) == [
        "create suite", "generate tasks",
    ]  # fmt: skip


def test_the_list_names_levels_and_reasons() -> None:
    page = command("--list")
    assert REFUSED["coin_flip"] in page
    assert "chain_sum" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gym",), "Name a family"),
        (("gym", "--family", "nonesuch"), "no family 'nonesuch'"),
        (("gym", "--family", "chain_sum,puzzle24"), "puzzle24 is refused: its scorer"),
        (("gym", "--family", "chain_sum", "--count", "0"), "--count"),
        (("gym", "--family", "chain_sum", "--level", "3-1"), "range of levels"),
        (("gym", "--family", "gsm_symbolic"), "refused"),
        (("gym", "--family", "acre", "--level", "2"), "has 1 levels"),
        (("--family", "chain_sum"), "Name the suite"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        command(*arguments)


def test_without_reasoning_gym_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    families.cache_clear()
    monkeypatch.setattr(reasoning_gym.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(CommandError, match="pip install"):
        command("--list")


def test_a_child_that_dies_is_told_with_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    families.cache_clear()
    monkeypatch.setattr(reasoning_gym, "CHILD", "improvement.nonesuch")
    with pytest.raises(GymMissing, match="nonesuch"):
        families()


def test_a_line_is_a_draft_or_a_problem() -> None:
    assert all(isinstance(line, Line) for line in drafts([("chain_sum", 1, 1)], 0))
    assert sys.modules.get("reasoning_gym.factory") is None  # it stays out of this process
