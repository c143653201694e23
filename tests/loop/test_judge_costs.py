"""What a judge may spend: its budget, and the cache of what was already paid for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from improvement.verifiers.base import Budget
from tests.loop.judge_server import (
    TASK,
    JudgeServer,
    attempt,
    honest,
    judge_of,
    says,
    status,
    votes,
    workshop_for,
)


def test_judging_the_same_attempt_again_costs_no_call(tmp_path: Path) -> None:
    with JudgeServer(honest) as server:
        for _ in range(2):
            judge = judge_of(workshop_for(server, tmp_path))
            judged = judge.judge(TASK, attempt("red"))
        assert (judged.answer, len(server.seen)) == ("pass", 3)
        assert all(vote["cached"] for vote in judged.evidence["votes"])
        judge.judge(TASK, attempt("blue"))
        judge_of(workshop_for(server, tmp_path), rubric="Another.").judge(TASK, attempt("red"))
        judge_of(workshop_for(server, tmp_path, model="m-2")).judge(TASK, attempt("red"))
    assert len(server.seen) == 12
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 12
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b'{"reason": "x", "verdict": "yes"}'])
def test_a_damaged_cache_file_is_asked_for_again_and_written_anew(
    tmp_path: Path, damage: bytes
) -> None:
    with JudgeServer(honest) as server:
        judge = judge_of(workshop_for(server, tmp_path), votes=1)
        judge.judge(TASK, attempt("red"))
        (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
        sound = file.read_bytes()
        file.write_bytes(damage)
        assert judge.judge(TASK, attempt("red")).answer == "pass"
    assert file.read_bytes() == sound
    assert len(server.seen) == 2


def test_a_cache_that_cant_be_written_costs_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with JudgeServer(honest) as server:
        judge = judge_of(workshop_for(server, tmp_path / "file"), votes=1)
        assert judge.judge(TASK, attempt("red")).answer == "pass"


def test_nonsense_is_not_kept(tmp_path: Path) -> None:
    with JudgeServer(says("hm"), says("hm"), votes("pass")) as server:
        judge = judge_of(workshop_for(server, tmp_path), votes=1)
        answers = [judge.judge(TASK, attempt("red")).answer for _ in range(2)]
    assert answers == ["error", "pass"]


def test_a_used_up_budget_is_an_error_that_says_so() -> None:
    with JudgeServer(votes("pass", tokens=40)) as server:
        workshop = replace(workshop_for(server), budget=Budget(calls=4))
        judge = judge_of(workshop)
        first, second = judge.judge(TASK, attempt("a")), judge.judge(TASK, attempt("b"))
    assert (first.answer, second.answer, second.score) == ("pass", "error", None)
    assert second.evidence["reason"] == "the budget of judge calls of this run is used up"
    assert len(second.evidence["votes"]) == 1
    assert (workshop.budget.used_calls, workshop.budget.used_tokens) == (4, 160)


@pytest.mark.parametrize("usage", [None, -5_000, 0, "many", True, 10**30])
def test_a_server_that_counts_no_possible_tokens_is_estimated(usage: Any) -> None:
    with JudgeServer(votes("pass", tokens=usage)) as server:
        workshop = replace(workshop_for(server), budget=Budget(tokens=1))
        judged = judge_of(workshop).judge(TASK, attempt("blue"))
    assert judged.answer == "error"
    assert 100 < workshop.budget.used_tokens < 1000


def test_a_request_that_failed_costs_a_call_and_no_tokens() -> None:
    with JudgeServer(status(503), votes("pass", tokens=40)) as server:
        workshop = workshop_for(server)
        judge_of(workshop, votes=1).judge(TASK, attempt("blue"))
    assert (workshop.budget.used_calls, workshop.budget.used_tokens) == (2, 40)


def test_threads_together_never_call_more_often_than_the_budget_allows() -> None:
    with JudgeServer(votes("pass")) as server:
        workshop = replace(workshop_for(server), budget=Budget(calls=7))
        judge = judge_of(workshop, votes=1)
        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(judge.judge, TASK, attempt(f"answer {i}")) for i in range(24)]
        answers = [job.result().answer for job in jobs]
    assert len(server.seen) == workshop.budget.used_calls == 7
    assert (answers.count("pass"), answers.count("error")) == (7, 17)
