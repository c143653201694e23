"""Endpoints from the environment, and keys that are bound to an address."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from improvement.verifiers.base import Workshop
from improvement.verifiers.judging.endpoints import EndpointsRefused, read_endpoints
from improvement.verifiers.judging.keys import KeysRefused, keys_file, store_key
from tests.loop.judge_server import KEY, TASK, JudgeServer, attempt, honest, judge_of

URL = "https://api.example.com/v1"


def environment(folder: Path, url: str = URL, **more: Any) -> dict[str, str]:
    judges = {"main": {"url": url, "model": "m", **more}}
    return {"PAWL_JUDGES": json.dumps(judges), "PAWL_JUDGE_KEYS": str(folder / "keys.json")}


def keep(environ: dict[str, str], url: str = URL) -> Path:
    path = keys_file(environ)
    store_key(path, "main", url, KEY)
    return path


def test_no_judges_are_no_endpoints() -> None:
    assert read_endpoints({}) == read_endpoints({"PAWL_JUDGES": " "}) == {}


def test_an_endpoint_has_its_settings_and_its_key(tmp_path: Path) -> None:
    environ = environment(tmp_path, private=True, timeout=7)
    keep(environ)
    endpoint = read_endpoints(environ)["main"]
    assert endpoint.url == f"{URL}/chat/completions"
    assert (endpoint.model, endpoint.private, endpoint.timeout) == ("m", True, 7.0)
    assert (endpoint.key, endpoint.trouble) == (KEY, "")
    assert KEY not in repr(endpoint)


def test_an_endpoint_without_a_key_has_none(tmp_path: Path) -> None:
    endpoint = read_endpoints(environment(tmp_path))["main"]
    assert (endpoint.key, endpoint.trouble) == ("", "")


def test_the_same_address_written_otherwise_keeps_its_key(tmp_path: Path) -> None:
    keep(environment(tmp_path))
    same = environment(tmp_path, "https://API.example.com:443/v1/chat/completions/")
    assert read_endpoints(same)["main"].key == KEY


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/v1", "http://api.example.com/v1", "https://api.example.com:444/v1",
     "https://api.example.com/v2", "https://api.example.com.evil.example/v1"],
)  # fmt: skip
def test_another_address_is_not_given_the_key(tmp_path: Path, url: str) -> None:
    keep(environment(tmp_path))
    endpoint = read_endpoints(environment(tmp_path, url))["main"]
    assert endpoint.key == ""
    assert "the key was entered for another address" in endpoint.trouble


def test_a_judge_whose_address_was_changed_errs_and_sends_nothing(tmp_path: Path) -> None:
    with JudgeServer(honest) as old, JudgeServer(honest) as new:
        environ = environment(tmp_path, old.url, private=True)
        keep(environ, old.url)
        judge = judge_of(Workshop(endpoints=read_endpoints(environ)), votes=1)
        assert judge.judge(TASK, attempt("red")).answer == "pass"
        moved = read_endpoints(environment(tmp_path, new.url, private=True))
        judged = judge_of(Workshop(endpoints=moved), votes=1).judge(TASK, attempt("red"))
    assert (judged.answer, judged.score, new.seen) == ("error", None, [])
    assert "entered for another address" in judged.evidence["reason"]
    assert len(old.seen) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    environ = environment(tmp_path)
    keep(environ).chmod(mode)
    with pytest.raises(KeysRefused, match="chmod 600"):
        read_endpoints(environ)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"main": "sk"}', '{"main": {"key": "sk"}}', "[" * 100_000,
             '{"main": {"key": 1, "url": "u"}}', '{"main": {"key": "sk-1", "url": "u", "x": ""}}'],
)  # fmt: skip
def test_a_key_file_that_makes_no_sense_is_refused_without_showing_it(
    tmp_path: Path, text: str
) -> None:
    environ = environment(tmp_path)
    keep(environ).write_text(text)
    with pytest.raises(KeysRefused) as refused:
        read_endpoints(environ)
    assert "sk-1" not in str(refused.value)


def test_keys_live_in_a_private_file_and_can_be_removed(tmp_path: Path) -> None:
    path = keep(environment(tmp_path))
    store_key(path, "other", "https://b.example/v1", "sk-other")
    store_key(path, "main", "", "")
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(path.read_text())) == {"other"}
    assert [p.name for p in tmp_path.iterdir()] == ["keys.json"]


def test_without_a_setting_the_keys_are_in_pawls_home() -> None:
    assert keys_file({"PAWL_HOME": "/srv/pawl"}) == Path("/srv/pawl/judge-keys.json")
    assert keys_file({}) == Path(".pawl/judge-keys.json").absolute()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"), ("[]", "JSON object"), ("[" * 100_000, "not JSON"),
        ('{"Main": {}}', "small letters"), ('{"": {}}', "small letters"), ('{"a": 1}', "url"),
        ('{"a": {}}', "must be text"), ('{"a": {"url": "https://h", "model": " "}}', "be text"),
        ('{"a": {"url": "ftp://h", "model": "m"}}', "https://"),
        ('{"a": {"url": "https://u:sesame@h", "model": "m"}}', "no account"),
        ('{"a": {"url": "https://h", "model": "m", "private": "yes"}}', "private"),
        ('{"a": {"url": "https://h", "model": "m", "timeout": 0}}', "timeout"),
        ('{"a": {"url": "https://h", "model": "m", "timeout": true}}', "timeout"),
        ('{"a": {"url": "https://h", "model": "m", "timeout": NaN}}', "timeout"),
        ('{"a": {"url": "https://h", "model": "m", "key": "sesame"}}', "judge_key a"),
        ('{"a": {"url": "https://h", "model": "m", "colour": 1}}', "'colour'"),
    ],
)  # fmt: skip
def test_a_wrong_endpoint_is_refused_by_field(text: str, words: str) -> None:
    with pytest.raises(EndpointsRefused, match=words) as refused:
        read_endpoints({"PAWL_JUDGES": text})
    assert "sesame" not in str(refused.value)


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = environment(tmp_path)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def entered(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    out = io.StringIO()
    call_command("judge_key", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_keeps_a_key_for_the_present_address(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = entered(monkeypatch, f"{KEY}\n", "main")
    assert f"{URL}/chat/completions" in said
    assert KEY not in said
    assert read_endpoints(environ)["main"].key == KEY
    assert "no key" in entered(monkeypatch, "", "main", "--remove")
    assert read_endpoints(environ)["main"].key == ""


def test_the_command_uses_pawls_home(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAWL_JUDGE_KEYS")
    monkeypatch.setenv("PAWL_HOME", str(tmp_path / "home"))
    entered(monkeypatch, KEY, "main")
    path = tmp_path / "home" / "judge-keys.json"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [("", "main", "No key"), ("two words", "main", "visible ASCII"), (KEY, "other", "no endpoint")],
)
def test_the_command_refuses_and_changes_nothing(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, text: str, name: str, words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        entered(monkeypatch, text, name)
    assert not keys_file(environ).exists()
