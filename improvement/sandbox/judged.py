"""Assert code and candidate in two processes; the host relays between them.

What the candidate answers is decoded here, strictly, and written anew for the tests' process.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from improvement.sandbox import answers
from improvement.sandbox.inside import tagged, wire
from improvement.sandbox.line import GRACE, Answer, End, Line
from improvement.sandbox.records import Ended, Limits, Outcome, Returned

MOST_CALLS = 100_000


class Handle:
    """An object in the candidate's process, as the host knows it: a number and a kind."""

    __slots__ = ("payload",)

    def __init__(self, payload: list[Any]) -> None:
        if len(payload) != 2 or type(payload[0]) is not int or type(payload[1]) is not str:
            raise tagged.Malformed("no handle")
        self.payload = payload

    def __hash__(self) -> int:
        return hash(self.payload[0])


def _payload(value: object) -> list[Any]:
    if type(value) is not Handle:
        raise tagged.NotPlain("no handle")
    return value.payload


def anew(tree: Any) -> Any:
    """Tagged JSON of a candidate, read and written again: what is in it is plain or a handle."""
    return tagged.encode(tagged.decode(tree, Handle), keep=_payload)


class _Ended(Exception):
    """The judgement is over with this outcome (its printed text and time are added later)."""

    def __init__(self, ended: Ended, error: str) -> None:
        super().__init__(error)
        self.ended = ended
        self.error = error


class Judged:
    """One judgement. `candidate` and `tests` are zygotes that nobody else uses meanwhile."""

    def __init__(self, candidate: Line, tests: Line, limits: Limits) -> None:
        self.candidate, self.tests = candidate, tests
        self.limits = limits
        self.calls = 0
        # only their own time counts, not that in which they wait for the candidate; a value that
        # keeps them busy (a range of 10**18 numbers) is held to the same limits
        self.tests_limits = replace(limits, result=1 << 24)
        self.deadline = time.monotonic() + 2 * limits.seconds + 2 * GRACE

    def judge(self, load: bytes, tests: str, names: Sequence[str]) -> Outcome:
        self.candidate.begin(self.limits)
        try:
            loaded = self._loaded(load)
            if loaded is not None:
                return loaded
            self.tests.begin(self.tests_limits, wire.TESTS)
            try:
                found = self._judged(tests, names)
            finally:
                self._close(self.tests)
        finally:
            self._close(self.candidate)
        return Outcome(found.ended, found.error, (found,), self.candidate.printed)

    def _loaded(self, load: bytes) -> Outcome | None:
        self.candidate.request(load)
        event = self.candidate.next(self.deadline)
        if isinstance(event, End):
            return Outcome(event.ended, event.error, (), self.candidate.printed)
        found = answers.returned(event, self.limits)
        if found.ended != "ok":
            return Outcome(found.ended, found.error, (), self.candidate.printed)
        return None

    def _judged(self, tests: str, names: Sequence[str]) -> Returned:
        """Ask the tests, relay their questions, until they give their answer."""
        self.tests.request(tagged.written({"tests": tests, "names": list(names)}))
        try:
            while True:
                event = self.tests.next(self.deadline)
                if isinstance(event, End):
                    return Returned(event.ended, None, f"the tests: {event.error}")
                tree = answers.tree_of(event.body)
                reply = self._reply(tree)
                if reply is None:
                    return self._final(event, tree)
                self.tests.request(tagged.written(reply))
        except _Ended as end:
            return Returned(end.ended, None, end.error)

    def _final(self, event: Answer, tree: dict[str, Any]) -> Returned:
        if "ok" in tree:
            return Returned("ok", self.calls, "", event.milliseconds)
        ended, error = answers.trouble(tree, self.tests_limits)
        return Returned(ended, None, error if ended == "exception" else f"the tests {error}")

    def _reply(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """The candidate's answer to a question of the tests; None when it is none."""
        if "names" in question:
            return self._ask({"do": "names", "names": question["names"]})
        if "call" not in question:
            return None
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise _Ended("output", f"the tests called the program more than {MOST_CALLS:,} times")
        args, kwargs = question["given"]
        name = question["call"]
        return self._ask({"do": "call", "name": name, "args": args, "kwargs": kwargs, "refs": 1})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.candidate.request(tagged.written(request))
        event = self.candidate.next(self.deadline)
        if isinstance(event, End):
            raise _Ended(event.ended, event.error)
        try:
            tree = answers.tree_of(event.body)
            if "raised" in tree:
                return {"raised": answers.raised(tree)}
            if "ok" not in tree:
                ended, error = answers.trouble(tree, self.limits)
                raise _Ended(ended, error)
            reply = {"ok": anew(tree["ok"])}
            if "args" in tree:
                reply["args"] = anew(tree["args"])
            return reply
        except (tagged.Malformed, tagged.NotPlain, tagged.TooLarge) as bad:
            raise _Ended("crash", f"answered nonsense: {bad}") from None

    def _close(self, line: Line) -> None:
        """To the end of its program, so that the zygote is ready for the next."""
        line.finish()
        while not line.over:
            line.next(self.deadline + GRACE)
