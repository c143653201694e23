"""Which programs mean the same in Monty and in CPython.

Monty is a small Python: its `map`, `zip`, `enumerate` and generator expressions are lists, its
sets keep their order, annotations are not evaluated, `round` rounds otherwise. A wrong program
could come out right there, so whatever might differ is left to CPython. A token scan, no parser:
it errs only by sending a harmless program the slower way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_CHARACTERS = 20_000

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>[rRbBuUfF]{0,2}(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}
        |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    |(?P<word>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)|(?P<mark>->|[=!<>:]=|\S)""",
    re.VERBOSE | re.DOTALL,
)
# Monty reads quotes inside the braces that this scan, and an older CPython, ends the text at.
_SIMPLE_F = re.compile(r"(?:[^{}(]|\{\{|\}\}|\{[^{}(\"'\\]+\})*")
_ANNOTATED = re.compile(
    r"^(?!(?:else|try|finally|lambda)\b)[A-Za-z_]\w*[ ]*:[ ]*[^\s#]", re.MULTILINE
)
_LAZY = {"map", "zip", "filter", "reversed", "enumerate"}
_CONSUMERS = {"list", "tuple", "dict", "sorted", "sum", "min", "max", "any", "all", "join"}
_CONSUMERS |= {"extend", "enumerate", "zip"}
_MUTATORS = {"append", "remove", "pop", "insert", "extend", "clear", "sort", "reverse", "popitem"}
_MUTATORS |= {"update", "setdefault"}
_DIFFERENT = {
    *("set", "frozenset", "round", "class", "yield", "iter", "next", "hash", "id", "type"),
    *("eval", "exec", "compile", "globals", "locals", "vars", "dir", "getattr", "setattr"),
    *("delattr", "hasattr", "input", "open", "super", "object", "bytearray", "memoryview"),
    *("async", "await", "bytes", "callable", "repr", "ascii", "breakpoint"),
}
_MODULES = {"math", "typing", "functools"}


class Different(Exception):
    """The program may mean something else in Monty."""


@dataclass(slots=True)
class _Bracket:
    opener: str
    word: str  # the name before it: of the function called, or of the list subscripted
    colon: bool = False
    lazy: bool = False


@dataclass(slots=True)
class _Scan:
    tokens: list[tuple[str, str]]
    stack: list[_Bracket] = field(default_factory=list)
    iterated: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    annotations: set[str] = field(default_factory=set)
    signature: int = -1  # the depth of the `def` whose signature is being read

    def at(self, i: int) -> str:
        return self.tokens[i][1] if 0 <= i < len(self.tokens) else ""


def annotation_names(source: str) -> list[str]:
    """The names in the annotations of `source`, which CPython would look up and Monty does not.

    Different when the program may mean something else there.
    """
    if len(source) > MOST_CHARACTERS or not source.isascii() or _ANNOTATED.search(source):
        raise Different
    scan = _Scan(list(_tokens(source)))
    for i, (kind, text) in enumerate(scan.tokens):
        if kind == "word":
            _word(scan, i, text)
        elif kind == "mark":
            _mark(scan, i, text)
    if scan.stack or scan.iterated & scan.changed:
        raise Different
    return sorted(scan.annotations)


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(source):
        kind, text = match.lastgroup or "", match[0]
        if kind == "string" and "f" in text[:2].lower() and not _SIMPLE_F.fullmatch(text):
            raise Different
        if kind != "comment":
            yield kind, text


def _word(scan: _Scan, i: int, text: str) -> None:
    top = scan.stack[-1] if scan.stack else None
    if text in _DIFFERENT or text.startswith("__"):
        raise Different
    if text in _LAZY and not _consumed(scan, i, top):
        raise Different
    if text in {"import", "from"}:
        _import(scan, i, text)
    if text == "for" and top and top.opener == "(" and top.word not in _CONSUMERS:
        raise Different
    if text == "def":
        scan.signature = len(scan.stack)
    elif scan.signature >= 0 and _annotates(scan, i, text):
        scan.annotations.add(text)
    if any(bracket.lazy for bracket in scan.stack):
        scan.iterated.add(text)
    if _changes(scan, i + 1):
        scan.changed.add(text)


def _consumed(scan: _Scan, i: int, top: _Bracket | None) -> bool:
    """Whether a lazy call is used up where it stands, so that a list does as well."""
    before = scan.at(i - 1)
    if scan.at(i + 1) != "(":
        return False
    if before == "(":
        return top is not None and top.word in _CONSUMERS
    return before == "in" or (before == "*" and scan.at(i - 2) in {"(", ","})


def _import(scan: _Scan, i: int, text: str) -> None:
    known = scan.at(i + 1) in _MODULES and scan.at(i + 2) not in {",", "."}
    if not known and not (text == "import" and scan.at(i - 2) == "from"):
        raise Different


def _annotates(scan: _Scan, i: int, text: str) -> bool:
    before = scan.at(i - 1)
    if before in {"def", "."}:
        return False
    return before in {":", "->", "[", "|"} or text[0].isupper() or scan.at(i + 1) == "."


def _changes(scan: _Scan, i: int) -> bool:
    """Whether the tokens from `i` on change what stands before them: .pop, +=, ] =."""
    here, after = scan.at(i), scan.at(i + 1)
    if here == ".":
        return after in _MUTATORS
    return here in {"+", "*", "-", "|", "&"} and after == "="


def _mark(scan: _Scan, i: int, text: str) -> None:
    if text in "\"'\\`$?!":
        raise Different  # an unclosed string, a line that goes on, no Python
    if text in {"(", "[", "{"}:
        before = scan.tokens[i - 1] if i else ("", "")
        word = before[1] if before[0] == "word" else ""
        if before[1] == "]":
            word = _root(scan, i)
        scan.stack.append(_Bracket(text, word, lazy=text == "(" and word in _LAZY))
    elif text in {")", "]", "}"}:
        _close(scan, i, text)
    elif text in {":", ":="}:
        if scan.stack:
            scan.stack[-1].colon = True
        if scan.signature == len(scan.stack):
            scan.signature = -1


def _close(scan: _Scan, i: int, text: str) -> None:
    if not scan.stack or scan.stack[-1].opener + text not in {"()", "[]", "{}"}:
        raise Different
    closed = scan.stack.pop()
    if text == "}" and scan.at(i - 1) != "{" and not closed.colon:
        raise Different
    if text == ")" and closed.word in {"keys", "items"} and scan.at(i + 1) in {"&", "|", "^", "-"}:
        raise Different
    if text == "]" and (scan.at(i + 1) == "=" or _changes(scan, i + 1)):
        scan.changed.add(closed.word)


def _root(scan: _Scan, i: int) -> str:
    """The name that is subscripted in `name[a][b`, with `i` at the last bracket."""
    depth = 0
    for j in range(i - 1, -1, -1):
        depth += {"]": 1, "[": -1}.get(scan.at(j), 0)
        if depth == 0 and scan.at(j - 1) != "]":
            return scan.at(j - 1)
    return ""
