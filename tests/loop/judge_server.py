"""A real server that speaks OpenAI's chat completions, well or badly, on a port of this machine.

`replies` are used one a request; the last is repeated. Each is a function of the handler and the
parsed request body. `honest` reads the fences as a model would and compares what stands in them.
"""

from __future__ import annotations

import gzip
import json
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from improvement.records import TaskRecord, TrajectoryRecord
from improvement.verifiers import judge
from improvement.verifiers.base import Budget, Endpoint, Workshop, trajectory_of
from improvement.verifiers.judging.patience import Patience

Reply = Callable[["Handler", dict[str, Any]], None]
PART = re.compile(r"\[(\w+) (\w+) begins\]\n(.*?)\n\[\1 \2 ends\]", re.DOTALL)
KEY = "sk-secret/123+abc=="
QUICK = Patience(base=0.001, longest=0.02)
TASK = TaskRecord("t1", "f", 1, "dev", "Name a colour.", {"answer": "red"}, "fp")


@dataclass
class Seen:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def parts(self) -> dict[str, str]:
        """What stands inside the fences."""
        return {n: text for _, n, text in PART.findall(self.body["messages"][1]["content"])}


class JudgeServer:
    """`with JudgeServer(reply, reply) as server:`; ends every hanging reply when it is left."""

    def __init__(self, *replies: Reply, certificate: Path | None = None) -> None:
        self.replies, self.seen, self.lock = list(replies), [], threading.Lock()
        self.over = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.judge = self  # type: ignore[attr-defined]
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)

    def __enter__(self) -> JudgeServer:
        self.seen: list[Seen] = []
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.over.set()
        self.http.shutdown()
        self.http.server_close()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.http.server_port}/v1"

    def next_reply(self, seen: Seen) -> Reply:
        with self.lock:
            self.seen.append(seen)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(size))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.judge: JudgeServer = self.server.judge  # type: ignore[attr-defined]
        reply = self.judge.next_reply(Seen(self.path, headers, body))
        try:
            reply(self, body)
        except OSError:  # the client has left
            self.close_connection = True

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: the tests look at `seen`."""


def completion(text: Any, tokens: Any = 100) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    usage = {"total_tokens": tokens}
    return json.dumps({"id": "c", "choices": [choice], "usage": usage}).encode()


def says(text: Any, tokens: Any = 100) -> Reply:
    return lambda handler, body: handler.send(completion(text, tokens))


def votes(word: str, reason: str = "because", tokens: Any = 100) -> Reply:
    return says(json.dumps({"reason": reason, "verdict": word}), tokens)


def honest(handler: Handler, body: dict[str, Any]) -> None:
    """A judge that does its work: the attempt against the reference, wherever they stand."""
    parts = Seen("", {}, body).parts
    if "ATTEMPT" in parts:
        word = "pass" if parts["ATTEMPT"] == parts.get("REFERENCE") else "fail"
    else:
        good = {name: parts[name] == "red" for name in ("FIRST", "SECOND")}
        word = "equal" if good["FIRST"] == good["SECOND"] else "second"
        word = "first" if good["FIRST"] > good["SECOND"] else word
    votes(word)(handler, body)


def status(code: int, message: str = "", **headers: str) -> Reply:
    text = json.dumps({"error": {"message": message}}).encode()
    return lambda handler, body: handler.send(text, code, **headers)


def raw(body: bytes, **headers: str) -> Reply:
    return lambda handler, _: handler.send(body, **headers)


def without_schema(handler: Handler, body: dict[str, Any]) -> None:
    refuse = "response_format" in body
    reply = status(400, "response_format is not supported") if refuse else votes("pass")
    reply(handler, body)


def hang(handler: Handler, body: dict[str, Any]) -> None:
    handler.judge.over.wait(30)


def hang_up(handler: Handler, body: dict[str, Any]) -> None:
    handler.close_connection = True


def drip_headers(handler: Handler, body: dict[str, Any]) -> None:
    _drip(handler, b"HTTP/1.1 200 OK\r\nX-Slow: ")


def drip_body(handler: Handler, body: dict[str, Any]) -> None:
    _drip(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n")


def flood(handler: Handler, body: dict[str, Any]) -> None:
    """No length, no end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while not handler.judge.over.is_set():
        handler.wfile.write(b" " * 65536)


def bomb(handler: Handler, body: dict[str, Any]) -> None:
    handler.send(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")


def _drip(handler: Handler, start: bytes) -> None:
    handler.wfile.write(start)
    while not handler.judge.over.wait(0.02):
        handler.wfile.write(b"x")


def workshop_for(server: JudgeServer, cache: Path | None = None, **more: Any) -> Workshop:
    endpoint = Endpoint(**{"url": server.url, "model": "m-1", "key": KEY, "private": True,
                           "timeout": 5.0, **more})  # fmt: skip
    return Workshop(endpoints={"main": endpoint}, cache=cache, budget=Budget())


def judge_of(workshop: Workshop, **settings: Any) -> judge.Judge:
    whole = {"endpoint": "main", "rubric": "It names a colour.", **settings}
    made = judge.make(whole, workshop, QUICK)
    assert isinstance(made, judge.Judge)
    return made


def attempt(text: str, task: TaskRecord = TASK) -> TrajectoryRecord:
    return trajectory_of(task, text)
