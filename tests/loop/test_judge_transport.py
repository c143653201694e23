"""The model judge against servers that are slow, broken, hostile or elsewhere."""

from __future__ import annotations

import logging
import socket
import subprocess
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from improvement.records import Judgement, canonical_json
from improvement.verifiers.base import Endpoint, Workshop
from improvement.verifiers.judging import wire
from improvement.verifiers.judging.patience import Patience, asked_wait
from tests.loop.judge_server import (
    KEY,
    TASK,
    JudgeServer,
    Reply,
    attempt,
    bomb,
    completion,
    drip_body,
    drip_headers,
    flood,
    hang,
    hang_up,
    honest,
    judge_of,
    raw,
    says,
    status,
    votes,
    workshop_for,
)


def judged_by(*replies: Reply, calls: int | None = None, **more: Any) -> tuple[Judgement, int]:
    """The judgement of one vote, and how many requests it took."""
    with JudgeServer(*replies) as server:
        workshop = workshop_for(server, **more)
        workshop.budget.calls = calls
        return judge_of(workshop, votes=1).judge(TASK, attempt("red")), len(server.seen)


def reason_of(judged: Judgement) -> str:
    assert (judged.answer, judged.score) == ("error", None)
    return str(judged.evidence["reason"])


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_passing_trouble_is_asked_again(code: int) -> None:
    judged, asked = judged_by(status(code, "later", Retry_After="1"), honest)
    assert (judged.answer, asked) == ("pass", 2)


def test_a_server_that_always_fails_is_asked_four_times() -> None:
    judged, asked = judged_by(status(500, "out of order"))
    assert asked == 4
    assert "no answer after 4 tries, at last: HTTP 500: out of order" in reason_of(judged)


def test_a_server_that_hangs_up_is_asked_again() -> None:
    assert judged_by(hang_up, honest)[0].answer == "pass"
    judged, asked = judged_by(hang_up)
    assert asked == 4
    assert "at last: the connection" in reason_of(judged)


def test_nobody_at_the_address_is_an_error() -> None:
    with socket.socket() as taken:  # bound and not listening: refuses
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        workshop = Workshop(endpoints={"main": Endpoint(url, "m", private=True, timeout=5)})
        judged = judge_of(workshop, votes=1).judge(TASK, attempt("red"))
    assert "the connection failed" in reason_of(judged)


@pytest.mark.parametrize("slow", [hang, drip_headers, drip_body])
def test_a_server_that_hangs_or_drips_is_left_at_the_deadline(slow: Reply) -> None:
    judged, asked = judged_by(slow, timeout=0.2)
    assert asked == 1
    assert "no whole answer came within 0.2 s" in reason_of(judged)


@pytest.mark.parametrize(
    ("huge", "reason"),
    [(flood, "more than 1,048,576 bytes"), (raw(b" " * 2_000_000), "more than 1,048,576 bytes"),
     (bomb, "compressed"), (raw(b"x", Content_Encoding="br"), "compressed")],
)  # fmt: skip
def test_a_flood_or_a_compressed_answer_is_refused(huge: Reply, reason: str) -> None:
    judged, asked = judged_by(huge)
    assert asked == 1
    assert reason in reason_of(judged)


def test_a_flood_of_headers_is_refused() -> None:
    judged, _ = judged_by(raw(b"{}", **{f"X_{i}": "y" * 1000 for i in range(99)}, X="y" * 65000))
    assert "it did not speak HTTP" in reason_of(judged)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b"[]", b"{}", b'{"choices": []}', b'{"choices": {"0": 1}}',
             b'{"choices": [{"message": {"content": 1}}]}', b"[" * 100_000],
)  # fmt: skip
def test_a_body_that_is_no_chat_completion_is_an_error(body: bytes) -> None:
    judged, asked = judged_by(raw(body))
    assert asked == 2  # nonsense is asked for once more
    assert "no chat completion" in reason_of(judged)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("there", ["own", "http://169.254.169.254/latest/meta-data/"])
def test_a_redirect_is_never_followed(code: int, there: str) -> None:
    with JudgeServer(honest) as inner:
        to = inner.url if there == "own" else there
        judged, asked = judged_by(status(code, Location=to))
        assert inner.seen == []
    assert asked == 1
    assert f"it redirects (HTTP {code})" in reason_of(judged)
    assert to not in canonical_json(judged.evidence)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413])
def test_a_refusal_is_an_error_with_the_servers_words_and_is_not_repeated(code: int) -> None:
    judged, asked = judged_by(status(code, f"no: {KEY} \x00 {'x' * 5000}"))
    assert asked == (2 if code == 400 else 1)  # 400: once more without the response format
    reason = reason_of(judged)
    assert f"HTTP {code}: no: [key]" in reason
    assert len(reason) < 500


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert judged_by(honest)[0].answer == "pass"


def test_a_private_address_is_refused_unless_allowed_and_never_connected_to() -> None:
    with JudgeServer(honest) as server:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1"):
            url = server.url.replace("127.0.0.1", host)
            judged = judge_of(workshop_for(server, url=url, private=False, key="")).judge(
                TASK, attempt("red")
            )
            assert "at an address that is not asked: it is private" in reason_of(judged)
        assert server.seen == []
        url = server.url.replace("127.0.0.1", "localhost")
        judged = judge_of(workshop_for(server, url=url)).judge(TASK, attempt("red"))
    assert judged.answer == "pass"
    assert server.seen[0].headers["host"] == url.split("/")[2]


def test_the_name_is_looked_up_once_however_often_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that answers otherwise the second time (DNS rebinding) changes nothing."""
    real, looked_up = socket.getaddrinfo, []

    def counting(host: Any, *args: Any, **more: Any) -> Any:
        looked_up.append(host)
        return real(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", counting)
    with JudgeServer(status(503), status(503), honest) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        judged = judge_of(workshop_for(server, url=url), votes=1).judge(TASK, attempt("red"))
    assert judged.answer == "pass"
    assert looked_up.count("localhost") == 1
    assert set(looked_up) <= {"localhost", "127.0.0.1", "::1"}


def test_a_name_that_does_not_exist_is_an_error() -> None:
    workshop = Workshop(endpoints={"main": Endpoint("https://nowhere.invalid/v1", "m")})
    judged = judge_of(workshop).judge(TASK, attempt("red"))
    assert "the name nowhere.invalid was not found" in reason_of(judged)


def test_the_key_is_in_the_authorization_header_and_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f'{{"reason": "your key is {KEY}", "verdict": "pass"}}'
    escaped = echo.replace("/", "\\/").replace("k-s", "k\\u002ds")
    troubles = (hang_up, status(401, KEY))
    with JudgeServer(
        status(500, f"bad key {KEY}", X_Echo=KEY), says(echo), says(escaped), says(KEY), *troubles
    ) as server:
        workshop = workshop_for(server, tmp_path)
        judge = judge_of(workshop, votes=3)
        judged = judge.judge(TASK, attempt("red"))
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {KEY}"}
    assert all(KEY not in str(seen.body) for seen in server.seen)
    files = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    said = canonical_json(judged.evidence)
    assert "your key is [key]" in said
    assert "your key is [key]" in files
    for place in (said, files, caplog.text, repr(judge), repr(workshop), str(judge.settings)):
        assert KEY not in place


def test_no_part_of_an_echoed_key_is_left_where_a_reason_is_cut() -> None:
    judged, _ = judged_by(votes("pass", "." * 1_990 + KEY))
    assert KEY[:5] not in canonical_json(judged.evidence)


@pytest.mark.parametrize("key", ["a\nX-Evil: 1", "two words", "clé", "a\r", "x" * 5000])
def test_a_key_that_no_header_may_hold_is_an_error_that_does_not_show_it(key: str) -> None:
    judged, asked = judged_by(honest, key=key)
    assert asked == 0
    assert "its key has a character that no header may hold" in reason_of(judged)
    assert key not in canonical_json(judged.evidence)


def test_a_key_does_not_travel_unencrypted_to_a_public_address() -> None:
    workshop = Workshop(endpoints={"main": Endpoint("http://192.0.2.1/v1", "m", key=KEY)})
    judged = judge_of(workshop).judge(TASK, attempt("red"))
    assert "unencrypted" in reason_of(judged)


def test_every_request_counts_against_the_budget_and_retries_stop_with_it() -> None:
    judged, asked = judged_by(status(503), calls=2)
    assert asked == 2
    assert reason_of(judged) == "the budget of judge calls of this run is used up"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `localhost` alone, with its key, made by openssl."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_text(key.read_text() + cert.read_text())
    return both


@pytest.mark.parametrize(
    ("trusted", "host", "reason"),
    [(True, "localhost", ""), (True, "127.0.0.1", "certificate is not valid"),
     (False, "localhost", "certificate is not valid")],
)  # fmt: skip
def test_tls_checks_the_name_although_the_address_is_pinned(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, trusted: bool, host: str, reason: str
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    wire._trust.cache_clear()
    with JudgeServer(honest, certificate=certificate) as server:
        url = server.url.replace("127.0.0.1", host)
        judged = judge_of(workshop_for(server, url=url), votes=1).judge(TASK, attempt("red"))
    wire._trust.cache_clear()
    if reason:
        assert reason in reason_of(judged)
        assert server.seen == []
    else:
        assert judged.answer == "pass"


def test_waits_grow_honour_retry_after_and_are_capped() -> None:
    patience = Patience(base=1.0, longest=30.0)
    assert 0.5 <= patience.wait(0) <= 1.0
    assert 2.0 <= patience.wait(2) <= 4.0
    assert patience.wait(0, "7") == 7.0
    assert patience.wait(0, "86400") == patience.wait(20) == 30.0
    assert len({patience.wait(0) for _ in range(20)}) > 1


@pytest.mark.parametrize("text", ["", "-1", "soon", "1e3", "٣", "9" * 5000, "Wed", "1, 2"])
def test_an_unreadable_retry_after_is_no_wait(text: str) -> None:
    assert asked_wait(text) == 0.0


def test_a_retry_after_may_be_a_date() -> None:
    assert 3000 < asked_wait(formatdate(time.time() + 3600, usegmt=True)) <= 3600
    assert asked_wait(formatdate(0, usegmt=True)) == 0.0


def test_a_server_with_more_to_say_than_was_asked_is_understood() -> None:
    more = completion('{"reason": "", "verdict": "pass"}').replace(b'"id"', b'"x_extra": [1], "id"')
    assert judged_by(raw(more))[0].answer == "pass"
    assert judged_by(votes("pass"))[1] == 1
