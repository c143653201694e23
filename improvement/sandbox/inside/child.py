"""The program's own process: executes foreign source, then answers requests about it.

A request and its answer are JSON (see `Room`). Whatever the
foreign code does to this file's objects changes only its own answers.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import types
from collections.abc import Callable
from typing import Any

from improvement.sandbox.inside import tagged, wire
from improvement.sandbox.inside.plain import EXCEPTIONS

SHOWN = 300
OUT_OF_MEMORY = b'{"memory":1}'
MUTABLE = (list, dict, set, bytearray)


def described(error: BaseException) -> list[str]:
    """Name and message of an exception, whatever its __str__ does, and the nearest of Python's own
    that it is one of ("" where that is none that can be carried)."""
    try:
        is_key = type(error) is KeyError and len(error.args) == 1 and type(error.args[0]) is str
        text = (error.args[0] if is_key else str(error))[:SHOWN]  # not the repr of a missing key
    except BaseException:  # it is foreign code
        text = ""
    kinds = type.mro(type(error))
    own = next((kind for kind in kinds if EXCEPTIONS.get(kind.__name__) is kind), None)
    return [str(type(error).__name__)[:SHOWN], text, own.__name__ if own else ""]


def open_prints() -> None:
    """stdout and stderr anew: the zygote's own would write to the host."""
    sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    for name, fd in (("stdout", 1), ("stderr", 2)):
        raw = io.FileIO(fd, "w", closefd=False)
        text = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", errors="backslashreplace")
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # foreign code may have closed or replaced it
            stream.flush()


def serve(result: int) -> None:
    """Answer until the inbox ends. Never returns."""
    room = Room(result)
    while (request := wire.take(wire.INBOX)) is not None:
        answer = room.answer(tagged.parsed(request))
        flush()
        wire.give(wire.OUTBOX, answer)
    os.close(wire.OUTBOX)  # sooner seen than the end of the process
    os._exit(0)


class Room:
    """The foreign module and the objects of it that the tests hold handles of."""

    def __init__(self, result: int) -> None:
        self.result = result
        self.module = types.ModuleType("solution")
        self.module.__file__ = "solution.py"
        self.kept: list[object] = []
        self.doers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "load": self.load,
            "call": self.call,
            "names": self.names,
        }

    def answer(self, request: dict[str, Any]) -> bytes:
        """The answer's bytes: {"ok": …}, {"raised": [name, message]}, {"large": …}, …"""
        try:
            found = tagged.written(self.doers[request["do"]](request))
            if len(found) > self.result + wire.SLACK:
                return tagged.written({"large": f"a value of {len(found):,} bytes"})
            return found
        except MemoryError:
            return OUT_OF_MEMORY
        except SystemExit as end:
            flush()
            os._exit(end.code if type(end.code) is int else 0 if end.code is None else 1)
        except tagged.TooLarge as error:
            return tagged.written({"large": str(error)})
        except tagged.NotPlain as error:
            return tagged.written({"odd": str(error)})
        except BaseException as error:  # KeyboardInterrupt too: it is the program's own
            return tagged.written({"raised": described(error)})

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        sys.argv = ["solution.py"]
        sys.modules["solution"] = sys.modules["__main__"] = self.module
        random.seed(0)  # the same program comes to the same end
        exec(compile(request["source"], "solution.py", "exec"), self.module.__dict__)  # noqa: S102
        return {"ok": None}

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        refs = request.get("refs")
        args = tagged.decode(request["args"], self.find if refs else None)
        kwargs = tagged.decode(request["kwargs"], self.find if refs else None)
        found = self.named(request["name"])(*args, **kwargs)
        keep = self.keep if refs else None
        answer = {"ok": tagged.encode(found, self.result, keep)}
        held = [*args, *kwargs.values()]
        if refs and found is None and any(type(one) in MUTABLE for one in held):
            answer["args"] = tagged.encode([args, kwargs], self.result, keep)
        return answer

    def names(self, request: dict[str, Any]) -> dict[str, Any]:
        """What each name is here: ["call"], ["value", …], or left out when there is none."""
        found: dict[str, Any] = {}
        for name in request["names"]:
            if name not in self.module.__dict__:
                continue
            value = self.module.__dict__[name]
            found[name] = ["call"] if callable(value) else ["value", value]
        return {"ok": tagged.encode(found, self.result, self.keep)}

    def named(self, name: str) -> Any:
        try:
            return self.module.__dict__[name]
        except KeyError:
            raise NameError(f"name {name!r} is not defined") from None

    def keep(self, value: object) -> list[Any]:
        self.kept.append(value)
        return [len(self.kept) - 1, str(type(value).__name__)[:60]]

    def find(self, handle: list[Any]) -> object:
        key = handle[0]
        if type(key) is str:
            return self.named(key)
        return self.kept[key]
