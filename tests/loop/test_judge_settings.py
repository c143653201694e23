"""The settings of a judge, its digest, and judges that run on this machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from improvement.records import Message, canonical_json
from improvement.verifiers.base import Endpoint, SpecError, Workshop, digest
from improvement.verifiers.build import build
from tests.loop.judge_server import (
    TASK,
    JudgeServer,
    attempt,
    judge_of,
    votes,
    workshop_for,
)


def test_a_local_model_judges_and_is_loaded_once() -> None:
    loaded: list[str] = []

    def load(model: str) -> Any:
        loaded.append(model)
        return lambda messages, seed: json.dumps({"reason": f"{seed}", "verdict": "pass"})

    spec = {"kind": "judge", "local": True, "model": "tiny", "rubric": "r"}
    workshop = Workshop(local=load)
    judge = build(spec, workshop)
    judged = judge.judge(TASK, attempt("blue"))
    assert (judged.answer, loaded, workshop.budget.used_calls) == ("pass", ["tiny"], 3)
    assert [vote["reason"] for vote in judged.evidence["votes"]] == ["1", "2", "3"]


def test_a_local_model_that_breaks_is_an_error() -> None:
    def load(model: str) -> Any:
        raise MemoryError("no room")

    spec = {"kind": "judge", "local": True, "model": "tiny", "rubric": "r"}
    judged = build(spec, Workshop(local=load)).judge(TASK, attempt("blue"))
    assert (judged.answer, judged.score) == ("error", None)
    assert "MemoryError" in judged.evidence["reason"]


def test_the_digest_changes_with_model_address_and_rubric_and_not_with_the_key() -> None:
    def made(
        url: str = "https://a.example/v1", model: str = "m", key: str = "", **more: Any
    ) -> str:
        workshop = Workshop(endpoints={"main": Endpoint(url, model, key)})
        judge = build({"kind": "judge", "endpoint": "main", "rubric": "r", **more}, workshop)
        assert key == "" or key not in repr(judge) + canonical_json(dict(judge.settings))
        return digest(judge)

    plain = made()
    assert plain == made(key="other-key") == made(url="https://a.example/v1/") == made(votes=3)
    changed = [made(url="https://b.example/v1"), made(model="m2"), made(rubric="s"), made(votes=5)]
    assert len({plain, *changed}) == 5


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"endpoint": "other"}, "endpoint"), ({"endpoint": 7}, "endpoint"),
        ({"local": True}, "endpoint"), ({"local": "yes"}, "endpoint"),
        ({"rubric": ""}, "rubric"), ({"rubric": None}, "rubric"), ({"rubric": "\ud800"}, "rubric"),
        ({"votes": 0}, "votes"), ({"votes": True}, "votes"), ({"votes": 2.0}, "votes"),
        ({"votes": 16}, "votes"), ({"temperature": 3}, "temperature"),
        ({"temperature": float("nan")}, "temperature"), ({"temperature": "hot"}, "temperature"),
        ({"compare": "best"}, "compare"), ({"show_reference": 1}, "show_reference"),
        ({"longest": 0}, "longest"), ({"max_tokens": 1}, "max_tokens"), ({"colour": 1}, "colour"),
        ({"key": "sk"}, "key"), ({"model": "m2"}, "model"), ({"url": "https://b.example"}, "url"),
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_named(wrong: dict[str, Any], field: str) -> None:
    workshop = Workshop(endpoints={"main": Endpoint("https://a.example/v1", "m")})
    with pytest.raises(SpecError, match=rf"verifier judge, {field}: "):
        build({"kind": "judge", "endpoint": "main", "rubric": "r", **wrong}, workshop)


@pytest.mark.parametrize("wrong", [{"model": ""}, {}, {"model": "m", "temperature": 1.0}])
def test_a_local_judge_needs_its_model_and_takes_no_server_setting(wrong: dict[str, Any]) -> None:
    workshop = Workshop(local=lambda model: lambda messages, seed: "")
    with pytest.raises(SpecError, match="verifier judge"):
        build({"kind": "judge", "local": True, "rubric": "r", **wrong}, workshop)


def test_null_leaves_a_setting_to_the_server() -> None:
    with JudgeServer(votes("pass")) as server:
        judge = judge_of(workshop_for(server), votes=1, temperature=None, max_tokens=None)
        assert judge.judge(TASK, attempt("blue")).answer == "pass"
    assert not {"temperature", "max_tokens"} & set(server.seen[0].body)


def test_the_writer_gets_messages_as_records() -> None:
    kinds: list[type] = []

    def load(model: str) -> Any:
        def write(messages: Any, seed: int) -> str:
            kinds.extend(type(message) for message in messages)
            return '{"reason": "", "verdict": "fail"}'

        return write

    build(
        {"kind": "judge", "local": True, "model": "m", "rubric": "r"}, Workshop(local=load)
    ).judge(TASK, attempt("blue"))
    assert set(kinds) == {Message}
