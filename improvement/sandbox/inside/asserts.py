"""The tests' own process: assert code runs here and reaches the candidate through proxies.

Each proxy call is a question to the host, which relays it to the candidate's process. What comes
back is plain, or an `Opaque` handle that can only be given back as an argument.
"""

from __future__ import annotations

import builtins
import dis
import os
import types
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from improvement.sandbox.inside import tagged, wire
from improvement.sandbox.inside.child import MUTABLE, OUT_OF_MEMORY, described, flush
from improvement.sandbox.inside.plain import EXCEPTIONS

MOST_NAMES = 1000


class CandidateError(Exception):
    """The candidate raised an exception of its own making."""


class CannotCarry(Exception):
    """The tests give the candidate something that can't be carried: the tests' fault."""


class Opaque:
    """An object of the candidate. Using it here in any way but as an argument is an error."""

    __slots__ = ("_handle",)

    def __init__(self, handle: list[Any]) -> None:
        self._handle = handle

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"{self!r} lives in the candidate's process: it can only be an argument")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __iter__ = _refuse
    __len__ = __getitem__ = __contains__ = __call__ = __int__ = __float__ = __str__ = _refuse
    __hash__ = _refuse

    def __repr__(self) -> str:
        return f"<{self._handle[1]} of the candidate>"


class Proxy:
    """A function or class of the candidate, by name."""

    def __init__(self, name: str) -> None:
        self.__name__ = self.__qualname__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            given = tagged.encode([list(args), kwargs], keep=_handle)
        except (tagged.NotPlain, tagged.TooLarge) as error:
            raise CannotCarry(f"{self.__name__} is given {error}") from None
        answer = _ask({"call": self.__name__, "given": given})
        if "raised" in answer:
            raise _exception(*answer["raised"])
        if "args" in answer:
            new_args, new_kwargs = tagged.decode(answer["args"], Opaque)
            _carry_back([*args, *kwargs.values()], [*new_args, *new_kwargs.values()])
        return tagged.decode(answer["ok"], Opaque)

    def __repr__(self) -> str:
        return f"<{self.__name__} of the candidate>"


def _handle(value: object) -> list[Any]:
    if type(value) is Opaque:
        return value._handle
    if type(value) is Proxy:
        return [value.__name__, "function"]
    raise tagged.NotPlain(f"a {type(value).__name__}")


def _exception(name: str, message: str, own: str) -> Exception:
    """What the candidate raised. A class of its own becomes a CandidateError that is one of
    Python's own kinds too, so that `except ValueError` catches what derives from it."""
    kind = EXCEPTIONS.get(own, Exception)
    # StopIteration would end the tests' own loop: `all(map(…))` would be true of nothing
    if kind is not Exception and not issubclass(kind, StopIteration | StopAsyncIteration):
        made = kind if name == own else type("CandidateError", (CandidateError, kind), {})
        try:
            found: Exception = made(message)
            return found
        except TypeError:  # UnicodeDecodeError wants five arguments
            pass
    return CandidateError(f"{name}: {message}")


def _carry_back(held: Sequence[Any], changed: Sequence[Any]) -> None:
    """Give the arguments the contents that the candidate left in its copies of them."""
    for old, new in zip(held, changed, strict=True):
        if type(old) in MUTABLE and type(old) is type(new):
            _become(old, new)


def _become(old: Any, new: Any) -> Any:
    """`old` with the contents of `new`, inner lists and dictionaries too where both have them."""
    if type(old) is not type(new) or type(old) not in MUTABLE:
        return new
    if type(old) is list:
        kept = [_become(a, b) for a, b in zip(old, new, strict=False)]
        old[:] = kept + new[len(kept) :]
    elif type(old) is dict:
        merged = {key: _become(old[key], new[key]) if key in old else new[key] for key in new}
        old.clear()
        old.update(merged)
    elif type(old) is set:
        old.clear()
        old.update(new)
    else:
        old[:] = new
    return old


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    wire.give(wire.OUTBOX, tagged.written(question))
    found = wire.take(wire.INBOX)
    if found is None:
        raise SystemExit
    reply: dict[str, Any] = tagged.parsed(found)
    return reply


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _codes(inner)


def foreign_names(code: types.CodeType) -> list[str]:
    """Global names that the code reads and neither sets nor finds among Python's own."""
    read: dict[str, None] = {}
    written: set[str] = set()
    for inner in _codes(code):
        for step in dis.get_instructions(inner):
            if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                read[step.argval] = None
            elif step.opname in ("STORE_NAME", "STORE_GLOBAL"):
                written.add(step.argval)
    return [name for name in read if name not in written and not hasattr(builtins, name)]


def _world(code: types.CodeType, names: list[str]) -> dict[str, Any]:
    asked = list(dict.fromkeys([*names, *foreign_names(code)]))[:MOST_NAMES]
    known = tagged.decode(_ask({"names": asked})["ok"], Opaque)
    world: dict[str, Any] = {"__name__": "tests", "__builtins__": builtins}
    for name, what in known.items():
        world[name] = Proxy(name) if what[0] == "call" else what[1]
    world["CandidateError"] = CandidateError
    return world


def _final(tests: str, names: list[str]) -> bytes:
    try:
        code = compile(tests, "tests.py", "exec")
        exec(code, _world(code, names))  # noqa: S102 - this is what the process is for
    except MemoryError:
        return OUT_OF_MEMORY
    except BaseException as error:  # SystemExit is no success either
        return tagged.written({"raised": described(error)})
    return b'{"ok":null}'


def serve() -> None:
    """One request: the tests and the names. Never returns."""
    found = wire.take(wire.INBOX)
    if found is not None:
        request = tagged.parsed(found)
        answer = _final(request["tests"], request["names"])
        flush()
        wire.give(wire.OUTBOX, answer)
        wire.take(wire.INBOX)
        os.close(wire.OUTBOX)
