"""`manage.py verify`: verdicts for a file of outputs, in order, without a database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

TASKS = [
    {"id": "sum", "prompt": "What is 2 + 2?", "reference": {"answer": "4"}, "verifier": "number"},
    {"id": "city", "prompt": "The capital of France?", "reference": {"answer": ["Paris", "paris"]},
     "verifier": {"kind": "exact", "extract": "last_line"}},
    {"id": "poem", "prompt": "A poem.", "reference": {"x": 1}, "verifier": {"kind": "person"}},
    {"id": "odd", "prompt": "Odd?", "reference": {"answer": "1"}, "verifier": {"kind": "nonsense"}},
    {"id": "empty", "prompt": "Empty?", "reference": {"x": 1}, "verifier": {"kind": "exact"}},
]  # fmt: skip
Rows = list[dict[str, Any]]


@pytest.fixture
def verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Rows]:
    """Writes both files, runs the command with --json, and gives its rows."""

    def run(*lines: object, tasks: object = TASKS, options: tuple[str, ...] = ()) -> Rows:
        given, outputs = tmp_path / "tasks.jsonl", tmp_path / "outputs.jsonl"
        if tasks is not None:
            given.write_bytes(as_lines(tasks))
        outputs.write_bytes(as_lines(lines))
        capsys.readouterr()
        call_command("verify", str(given), str(outputs), "--json", *options)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def as_lines(lines: Any) -> bytes:
    return b"".join(
        (one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines
    )


def test_every_output_gets_its_verdict_with_all_that_belongs_to_it(
    verify: Callable[..., Rows],
) -> None:
    row, other = verify({"task": "sum", "output": "4"}, {"task": "city", "output": "Lyon"})
    assert list(row) == ["task", "verdict", "score", "verifier", "evidence", "milliseconds"]
    assert (row["task"], row["verdict"], row["score"]) == ("sum", "pass", 1.0)
    assert (row["verifier"], row["evidence"]["reason"]) == ("number", "the number is right")
    assert row["milliseconds"] >= 0
    assert (other["verdict"], other["score"]) == ("fail", 0.0)
    assert other["evidence"]["expected"] == ["Paris", "paris"]


def test_the_order_is_that_of_the_file_and_ids_of_any_kind_are_carried_through(
    verify: Callable[..., Rows],
) -> None:
    ids = [7, "seven", None, [1, {"a": "\ud800"}], 1.5, {"deep": [True]}] * 20
    rows = verify(*({"task": "sum", "output": str(n), "id": one} for n, one in enumerate(ids)))
    assert [row["id"] for row in rows] == ids
    assert [row["evidence"]["found"] for row in rows] == [str(n) for n in range(len(ids))]
    assert "id" not in verify({"task": "sum", "output": "4"})[0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"task": "sum", "output": "\xff\xfe4"}', "not valid UTF-8"),
        (b'{"task": "sum", "output": "\\ud800"}', "not valid UTF-8"),
        (b'{"task": "sum", "output": "' + b"4" * 50_000_000 + b'"}', "50,000,000 characters"),
        (b'{"task": "sum", "output": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
         "nested too deeply"),
        (b'{"output": ' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b', "task": "sum"}',
         "nested too deeply"),
        ({"task": "sum", "output": "[" * 200_000}, "not a number"), ({"task": "sum"}, "no output"),
        ({"task": "sum", "output": 4}, "a number, not text"),
        ({"task": "sum", "output": None}, "null, not text"),
        ({"task": "sum", "output": ["4"]}, "a list, not text"),
        ({"task": "sum", "output": {"a": "4"}}, "an object, not text"),
        ({"task": "sum", "output": ""}, "not a number"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_what_the_attempt_did_wrong_is_a_fail_with_that_evidence(
    verify: Callable[..., Rows], line: object, reason: str
) -> None:
    (row,) = verify(line)
    assert (row["task"], row["verdict"], row["score"]) == ("sum", "fail", 0.0)
    assert reason in row["evidence"]["reason"]
    assert len(json.dumps(row)) < 30_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"task": "none", "output": "4"}, "no task 'none'"), (b"4, 5", "not JSON"),
        (b'{"task": "sum", "output": "4"', "not JSON"), (b"\xff\xfe\x00", "not JSON"),
        ([1], "a list, not an object"), ("sum", "text, not an object"),
        ({"output": "4"}, "no task"), ({"task": 4.5, "output": "4"}, "task is a number"),
        ({"task": "", "output": "4"}, "task is text"), (b"[" * 200_000, "nested too deeply"),
        (b'{"task": "sum", "output": NaN}', "NaN is no JSON"),
        (b'{"task": "sum", "output": "4", "id": 1e999}', "too large"),
        (b'{"task": "sum", "output": "4", "id": ' + b"9" * 9_000 + b"}", "not JSON"),
        ({"task": "odd", "output": "1"}, "'nonsense' is unknown"),
        ({"task": "empty", "output": "1"}, "no answer"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_what_can_not_be_judged_is_an_error_that_names_the_line(
    verify: Callable[..., Rows], line: object, reason: str
) -> None:
    good = {"task": "sum", "output": "4"}
    before, row, after = verify(good, line, good)
    assert (before["verdict"], after["verdict"]) == ("pass", "pass")
    assert (row["verdict"], row["score"]) == ("error", None)
    assert reason in row["evidence"]["reason"]
    if row["task"] != "empty":
        assert row["evidence"]["line"] == 2
        assert row["evidence"]["reason"].startswith("line 2: ")


def test_a_verdict_that_needs_a_person_says_so(verify: Callable[..., Rows]) -> None:
    (row,) = verify({"task": "poem", "output": "roses"})
    assert (row["verdict"], row["evidence"]["needs_person"]) == ("error", True)


def test_blank_lines_are_skipped_and_still_counted(verify: Callable[..., Rows]) -> None:
    rows = verify(b"", b"  ", {"task": "sum", "output": "4"}, b"", b"?")
    assert [row["verdict"] for row in rows] == ["pass", "error"]
    assert rows[1]["evidence"]["line"] == 5


def test_a_verifier_on_the_command_line_judges_every_task(verify: Callable[..., Rows]) -> None:
    lines = [{"task": task, "output": "4"} for task in ("sum", "odd")]
    for spec in ('{"kind": "exact"}', '"exact"', "exact"):
        rows = verify(*lines, options=("--verifier", spec))
        assert [(row["verifier"], row["verdict"]) for row in rows] == [
            ("exact", "pass"), ("exact", "fail"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "spec", ["nonsense", "{", "[1]", '{"kind": "number", "tolerance": -1}', "5"]
)
def test_a_verifier_on_the_command_line_that_makes_no_sense_ends_with_2(
    verify: Callable[..., Rows], spec: str
) -> None:
    with pytest.raises(CommandError) as caught:
        verify({"task": "sum", "output": "4"}, options=("--verifier", spec))
    assert caught.value.returncode == 2


def test_judge_endpoints_that_make_no_sense_end_with_2(
    verify: Callable[..., Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWL_JUDGES", '{"main": ')
    with pytest.raises(CommandError, match="PAWL_JUDGES is not JSON") as caught:
        verify({"task": "sum", "output": "4"})
    assert caught.value.returncode == 2


def test_files_that_can_not_be_read_end_with_2(tmp_path: Path) -> None:
    tasks, nothing = tmp_path / "tasks.jsonl", tmp_path / "nothing.jsonl"
    tasks.write_bytes(as_lines(TASKS))
    junk = tmp_path / "junk.jsonl"
    junk.write_text("no task\n")
    for pair in ((nothing, tasks), (tasks, nothing), (tmp_path, tasks), (tasks, tmp_path),
                 (junk, tasks)):  # fmt: skip
        with pytest.raises(CommandError) as caught:
            call_command("verify", *map(str, pair), "--json")
        assert caught.value.returncode == 2


def test_lines_of_the_tasks_that_are_none_are_named_and_the_rest_is_judged(
    verify: Callable[..., Rows], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tasks = [b"no json", *TASKS, {**TASKS[0], "prompt": "again"}]
    (row,) = verify({"task": "sum", "output": "4"}, tasks=tasks)
    assert row["verdict"] == "pass"
    call_command("verify", str(tmp_path / "tasks.jsonl"), str(tmp_path / "outputs.jsonl"))
    said = capsys.readouterr().err
    assert "tasks.jsonl: line 1: " in said
    assert "line 7: id: 'sum' is there already" in said


def test_gsm8k_is_judged_as_it_comes(verify: Callable[..., Rows]) -> None:
    tasks = [{"id": "g", "question": "3 boxes of 4?", "answer": "3 * 4 = 12\n#### 12"}]
    rows = verify({"task": "g", "output": "So 3*4\n#### 12"}, {"task": "g", "output": "#### 13"},
                  tasks=tasks, options=("--format", "gsm8k"))  # fmt: skip
    assert [row["verdict"] for row in rows] == ["pass", "fail"]


def test_for_people_a_fail_says_what_was_found_in_place_of_what(
    verify: Callable[..., Rows], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    verify({"task": "sum", "output": "5\x1b[31m"}, {"task": "city", "output": "L" * 500})
    call_command("verify", str(tmp_path / "tasks.jsonl"), str(tmp_path / "outputs.jsonl"))
    number, city, _ = capsys.readouterr().out.splitlines()
    assert 'found "5\\u001b[31m", expected "4"  (number, ' in number
    assert "LLL…, expected [" in city
    assert len(city) < 250


def test_for_people_there_is_a_line_each_and_a_summary_without_control_characters(
    verify: Callable[..., Rows], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    verify({"task": "sum", "output": "4"}, {"task": "no\x1b[31m\nne", "output": ""})
    call_command("verify", str(tmp_path / "tasks.jsonl"), str(tmp_path / "outputs.jsonl"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("pass   sum  the number is right  (number, ")
    assert lines[1].startswith("error  no�[31m�ne  line 2: ")
    assert lines[2].startswith("2 outputs: 1 pass, 0 fail, 1 error (")
    assert len(lines) == 3


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """As a team's CI would: another process, and a database that is not there."""
    nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
               "REDIS_URL": "redis://127.0.0.1:1"}
    return subprocess.run(
        [sys.executable, "manage.py", "verify", *map(str, arguments)],
        cwd=settings.BASE_DIR, env={**os.environ, **nowhere}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_it_needs_no_database_and_ends_with_0_even_where_all_fail(tmp_path: Path) -> None:
    tasks, outputs = tmp_path / "tasks.jsonl", tmp_path / "outputs.jsonl"
    tasks.write_bytes(as_lines(TASKS))
    outputs.write_bytes(as_lines([{"task": "sum", "output": "5"}, b"?"]))
    done = run(tasks, outputs, "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["fail", "error"]
    assert run(tasks, outputs, "--strict").returncode == 1
    assert run(tmp_path / "none", outputs).returncode == 2
