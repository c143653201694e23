"""MBPP (https://github.com/google-research/google-research/tree/master/mbpp), full or sanitized:
a wish in words, and asserts. As is customary the agent also reads the first assert: without it
nobody could know the function's name and how it is called."""

from __future__ import annotations

import re

from improvement.ingest.tasks.native import made_id
from improvement.ingest.tasks.records import Draft
from improvement.ingest.tasks.values import Fields

CALL = re.compile(r"([^\W\d]\w*)\s*\(")
AROUND = frozenset({
    "abs", "all", "any", "assert", "bool", "dict", "float", "frozenset", "int", "isclose",
    "isinstance", "len", "list", "max", "min", "not", "repr", "round", "set", "sorted",
    "str", "sum", "tuple", "type",
})  # fmt: skip


def draft(fields: Fields) -> Draft:
    wish = fields.text("text" if "text" in fields.values else "prompt")
    tests = fields.texts("test_list")
    entry_point = _entry_point(tests[0] if tests else "")
    if tests and not entry_point:
        fields.wrong("test_list", "calls no function in its first assert")
    prompt = f"{wish.strip()}\nYour function must satisfy: {tests[0].strip()}" if tests else wish
    reference = {"entry_point": entry_point, "tests": tests}
    for name, value in (("setup", _setup(fields)), ("solution", _solution(fields))):
        if value:
            reference[name] = value
    return Draft(
        id=fields.key("task_id") or made_id("mbpp", prompt),
        prompt=prompt,
        reference=reference,
        verifier={"kind": "asserts"},
        family=fields.family("mbpp"),
        level=fields.level(),
        split=fields.split(),
    )


def _entry_point(line: str) -> str:
    """The first function in an assert that is not one of those that asserts wrap results in."""
    return next((name for name in CALL.findall(line) if name not in AROUND), "")


def _setup(fields: Fields) -> str:
    """The full set has code to run before the tests, the sanitized one a list of imports."""
    code = fields.text("test_setup_code", required=False).strip()
    return "\n".join([*fields.texts("test_imports", required=False), *([code] if code else [])])


def _solution(fields: Fields) -> str:
    return fields.text("code", required=False)
