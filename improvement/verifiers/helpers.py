"""Which part of a task's setup and prompt runs with its tests. Text work only.

The setup runs with the program, because it may build the program's own objects. A comparison that
stands there ("close(a, b)") would be given the expected values in the program's process, which
could also replace it. So every function that deals with plain values alone is the tests' own too.
"""

from __future__ import annotations

import re

from improvement.verifiers.code import joined, names

_FUNCTION = re.compile(r"^def (\w+)\b.*(?:\n(?:[ \t].*|))*", re.MULTILINE)
_IMPORT = re.compile(r"^(?:import|from) .+$", re.MULTILINE)
_CLASS = re.compile(r"^class ", re.MULTILINE)
_ATTRIBUTE = re.compile(r"(\w+|[)\]}\"'])[ \t]*\.[ \t]*([A-Za-z_]\w*)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_PLAIN_KINDS = (str, bytes, int, float, complex, list, tuple, dict, set, frozenset)
_PLAIN = {name for kind in _PLAIN_KINDS for name in dir(kind)}


def of_setup(setup: str) -> str:
    """Its imports, and its functions that deal with plain values alone."""
    return joined("\n".join(_IMPORT.findall(setup)), own_functions(setup))


def of_prompt(prompt: str, entry: str) -> str:
    """What stands before the function that is asked for. Where there are classes, the program's
    own are used, as it can be given nothing but its own objects."""
    found = re.search(rf"^(?:async )?def {re.escape(entry)}\b", prompt, re.MULTILINE)
    before = prompt[: found.start()] if found else ""
    return of_setup(before) if _CLASS.search(before) else before


def own_functions(setup: str) -> str:
    """The functions of `setup` that use neither its classes and values nor an attribute that
    plain values don't have."""
    functions = {found[1]: found[0] for found in _FUNCTION.finditer(setup)}
    imported = names("\n".join(_IMPORT.findall(setup)))
    held = names(setup) - functions.keys() - imported
    own = {name for name, text in functions.items() if _is_plain(text, held, imported)}
    while other := [one for one in own if _words(functions[one]) & (functions.keys() - own)]:
        own.difference_update(other)
    return "\n".join(functions[name] for name in functions if name in own)


def _is_plain(text: str, held: set[str], imported: set[str]) -> bool:
    reached = (name for before, name in _ATTRIBUTE.findall(text) if before not in imported)
    return not _words(text) & held and all(name in _PLAIN for name in reached)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))
