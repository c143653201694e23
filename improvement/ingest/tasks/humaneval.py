"""HumanEval (https://github.com/openai/human-eval): a signature with its docstring to complete,
and `check(candidate)` to judge with."""

from __future__ import annotations

import re

from improvement.ingest.tasks.native import made_id
from improvement.ingest.tasks.records import Draft
from improvement.ingest.tasks.values import Fields

NAME = re.compile(r"[^\W\d]\w*")


def draft(fields: Fields) -> Draft:
    prompt, tests = fields.text("prompt"), fields.text("test")
    entry_point = fields.text("entry_point")
    solution = fields.text("canonical_solution", required=False)
    if entry_point and not NAME.fullmatch(entry_point):
        fields.wrong("entry_point", "must be the name of a function")
    if tests and not re.search(r"^\s*def check\s*\(", tests, re.MULTILINE):
        fields.wrong("test", "does not define check(candidate)")
    reference = {"entry_point": entry_point, "tests": tests, "prompt": prompt}
    if solution:
        reference["solution"] = solution
    return Draft(
        id=fields.key("task_id") or made_id("humaneval", prompt),
        prompt=prompt,
        reference=reference,
        verifier={"kind": "asserts"},
        family=fields.family("humaneval"),
        level=fields.level(),
        split=fields.split(),
    )
