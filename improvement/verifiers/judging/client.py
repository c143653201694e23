"""Asks a server that speaks OpenAI's chat completions.

The key goes into the Authorization header and nowhere else; what the server says is scrubbed of it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from improvement.records import Message
from improvement.verifiers.base import Budget, Endpoint
from improvement.verifiers.judging import spending
from improvement.verifiers.judging.address import Target, resolve, target_of
from improvement.verifiers.judging.answers import clean
from improvement.verifiers.judging.patience import RETRIED, Patience
from improvement.verifiers.judging.troubles import Nonsense, Trouble
from improvement.verifiers.judging.wire import Broken, Reply, exchange

KEY = re.compile(r"[\x21-\x7e]{1,4096}")  # what a header may hold: a line break would end it
HIDDEN = "[key]"
LOOK_UP_SECONDS = 10.0
REFUSED_SCHEMA = {400, 422}


class Source(Protocol):
    """Something that can be asked: a server or a local model. Raises Trouble or Nonsense."""

    def ask(self, messages: Sequence[Message], seed: int, schema: Mapping[str, Any]) -> str: ...

    def hide(self, text: str) -> str:
        """`text` without the secrets that it may repeat."""
        ...


@dataclass(slots=True)
class Server:
    """One endpoint. `options` go into every request (temperature, max_tokens)."""

    name: str
    endpoint: Endpoint
    budget: Budget
    options: Mapping[str, Any]
    patience: Patience = field(default_factory=Patience)
    takes_schema: bool = True

    def ask(self, messages: Sequence[Message], seed: int, schema: Mapping[str, Any]) -> str:
        """The text that the model wrote. A server that refuses a response format is asked again
        without one, and from then on."""
        body = {
            "model": self.endpoint.model,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "seed": seed,
            **self.options,
        }
        tokens = spending.estimate(messages)
        if self.takes_schema:
            reply = self._send({**body, "response_format": _format(schema)}, tokens)
            if reply.status not in REFUSED_SCHEMA:
                return self._text(reply)
        reply = self._send(body, tokens)
        text = self._text(reply)
        self.takes_schema = False
        return text

    def _send(self, body: Mapping[str, Any], tokens: int) -> Reply:
        """The first reply that is no passing trouble."""
        target, headers = self._target(), self._headers()
        content = json.dumps(body).encode()
        end = time.monotonic() + self.endpoint.timeout * self.patience.tries
        addresses = resolve(target, self.endpoint.private, LOOK_UP_SECONDS)
        trouble = ""
        for attempt in range(self.patience.tries):
            left = min(self.endpoint.timeout, end - time.monotonic())
            if left <= 0:
                break
            spending.take(self.budget, tokens)
            asked_to_wait = ""
            try:
                reply = exchange(target, addresses, headers, content, left)
            except Broken as error:
                trouble = str(error)
            except Trouble as error:
                raise self._trouble(str(error)) from None
            else:
                used = spending.counted(_json(reply.body).get("usage"), tokens)
                spending.settle(self.budget, tokens, used if reply.status == 200 else 0)
                if reply.status not in RETRIED:
                    return reply
                trouble, asked_to_wait = self._said(reply), reply.retry_after
            if attempt + 1 < self.patience.tries:
                pause = self.patience.wait(attempt, asked_to_wait)
                time.sleep(max(0.0, min(pause, end - time.monotonic())))
        raise self._trouble(f"no answer after {self.patience.tries} tries, at last: {trouble}")

    def _text(self, reply: Reply) -> str:
        if reply.status != 200:
            raise self._trouble(self._said(reply))
        try:
            text = _json(reply.body)["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            text = None
        if not isinstance(text, str):
            raise Nonsense("its server's answer is no chat completion")
        return text

    def _said(self, reply: Reply) -> str:
        """A status and, where the server gives one in the usual form, its message."""
        if 300 <= reply.status < 400:
            return f"it redirects (HTTP {reply.status}), and no redirect is followed"
        error = _json(reply.body).get("error")
        message = error.get("message") if isinstance(error, dict) else error
        words = f": {clean(self.hide(message))[:300]}" if isinstance(message, str) else ""
        return f"HTTP {reply.status}{words}"

    def _trouble(self, words: str) -> Trouble:
        return Trouble(f"judge endpoint {self.name!r}: {words}")

    def hide(self, text: str) -> str:
        return text.replace(self.endpoint.key, HIDDEN) if self.endpoint.key else text

    def _target(self) -> Target:
        try:
            target = target_of(self.endpoint.url)
        except ValueError as error:
            raise self._trouble(str(error)) from None
        if self.endpoint.trouble:
            raise self._trouble(self.endpoint.trouble)
        if self.endpoint.key and target.scheme == "http" and not self.endpoint.private:
            raise self._trouble("its key would travel unencrypted; use https")
        return target

    def _headers(self) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"Host", self._target().authority.encode()),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
            (b"Content-Type", b"application/json"),
            (b"Connection", b"close"),
        ]
        if key := self.endpoint.key:
            if not KEY.fullmatch(key):
                raise self._trouble("its key has a character that no header may hold")
            headers.append((b"Authorization", f"Bearer {key}".encode()))
        return headers


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": "verdict", "strict": True, "schema": dict(schema)},
    }


def _json(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; empty where there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
