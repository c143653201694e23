"""`manage.py import_tasks`: what it says, what it keeps, how it ends."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from improvement.models import AuditRow, Suite, Task
from tests.bringing import problem

pytestmark = pytest.mark.django_db


def written(path: Path, rows: Sequence[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def command(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("import_tasks", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_the_command_makes_the_suite_and_reports(tmp_path: Path) -> None:
    rows = [{"prompt": problem(n), "reference": n, "family": "boats"} for n in range(20)]
    file = written(tmp_path / "t.jsonl", [*rows, {"prompt": "", "reference": 1, "level": 0}])
    told = {"title": "Boats", "system_prompt": "Count."}
    page = command("boats", file, "--verifier", "exact", **told)
    suite = Suite.objects.get(name="boats")
    assert (suite.title, suite.verifier, suite.system_prompt) == (
        "Boats", {"kind": "exact"}, "Count.",
    )  # fmt: skip
    assert "20 added, 0 already there, 1 bad" in page
    assert "line 21: prompt: is empty" in page
    assert "line 21: level: must be between 1 and 32,767" in page
    verbs = list(AuditRow.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["create suite", "import tasks"]


def test_the_report_as_json_and_a_second_time(tmp_path: Path) -> None:
    file = written(tmp_path / "t.jsonl", [{"prompt": problem(1), "reference": 1}])
    command("boats", file)
    report = json.loads(command("boats", file, json=True))
    assert (report["added"], report["already_there"], report["bad"]) == (0, 1, 0)
    assert report["suite_has"]["tasks"] == 1
    assert AuditRow.objects.filter(verb="import tasks").count() == 1


def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    file = written(tmp_path / "t.jsonl", [{"prompt": problem(1), "reference": 1}])
    assert "1 would be added" in command("boats", file, dry_run=True)
    assert (Suite.objects.count(), Task.objects.count(), AuditRow.objects.count()) == (0, 0, 0)


def test_a_file_with_nothing_good_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text("nonsense\n")
    with pytest.raises(SystemExit) as ended:
        command("boats", str(file))
    assert ended.value.code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("boats", "/nonexistent.jsonl"), "can't be read"),
        (("Not a name!", "FILE"), "name"),
        (("boats", "FILE", "--verifier", '{"kind": "nonesuch"}'), "nonesuch"),
        (("boats", "FILE", "--verifier", "{nonsense"), "verifier"),
        (("boats", "FILE", "--by", "nobody"), "no user"),
    ],
)
def test_wrong_arguments_are_named(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    file = written(tmp_path / "t.jsonl", [{"prompt": problem(1), "reference": 1}])
    with pytest.raises(CommandError, match=message):
        command(*(file if a == "FILE" else a for a in arguments))
    assert Task.objects.count() == 0


def test_the_example_of_the_documentation_imports(tmp_path: Path, settings: Any) -> None:
    page = (settings.BASE_DIR / "docs" / "tasks.md").read_text()
    example = page.split("```jsonl\n")[1].split("```")[0]
    file = tmp_path / "sums.jsonl"
    file.write_text(example)
    report = json.loads(command("sums", str(file), json=True))
    assert (report["added"], report["bad"]) == (3, 0)
    assert report["ignored_fields"] == {}
    moon = Task.objects.get(prompt__contains="Saturn")
    assert (moon.split, moon.reference) == ("dev", {"answer": "Titan"})


def test_an_agent_over_a_suite_that_is_too_small_is_told_so_at_once(tmp_path: Path) -> None:
    """Not after hours of collecting and training."""
    lines = [{"prompt": "Name a moon.", "reference": "Titan", "verifier": "exact", "split": "dev"}]
    said = command("moons", written(tmp_path / "f.jsonl", lines))
    assert "1 task (1 dev) in 1 cluster of near-duplicates" in said
    out = io.StringIO()
    call_command("create_agent", "stargazer", "--suite", "moons", stdout=out)
    assert "Suite moons has no train tasks to learn from." in out.getvalue()
    assert "0 unlike held-out tasks, and a gate needs" in out.getvalue()
    assert "Agent stargazer is there." in out.getvalue()


def test_bad_lines_are_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    """What is found wrong while a line is kept comes later than what its reader refuses."""
    one = {"id": "a", "prompt": "Name a moon.", "reference": "Titan"}
    said = command("moons", written(tmp_path / "f.jsonl", [one, one | {"prompt": "Other"}, 7]))
    assert said.index("line 2: id: ") < said.index("line 3: ")
