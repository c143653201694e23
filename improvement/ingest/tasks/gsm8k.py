"""GSM8K (https://github.com/openai/grade-school-math): a question, and an answer whose last line
is `#### n`. The worked solution before it is kept in the reference, for people alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from improvement.ingest.tasks.native import made_id
from improvement.ingest.tasks.records import Draft
from improvement.ingest.tasks.values import Fields

MARK = "####"
NUMBER = re.compile(r"[-+]?[$€£]?\s?[0-9][0-9,]*(?:\.[0-9]+)?%?")
VERIFIER: Mapping[str, Any] = {"kind": "number", "extract": "last_number"}


def draft(fields: Fields) -> Draft:
    prompt = fields.text("question")
    worked, mark, last = fields.text("answer").rpartition(MARK)
    found = last.strip()
    if not mark and not fields.problems:
        fields.wrong("answer", f'has no "{MARK} n" at its end')
    elif mark and not NUMBER.fullmatch(found):
        fields.wrong("answer", f"has no number after {MARK}")
    return Draft(
        id=fields.key("id") or made_id("gsm8k", prompt),
        prompt=prompt,
        reference={"answer": found.replace(",", ""), "solution": worked.strip()},
        verifier=VERIFIER,
        family=fields.family("gsm8k"),
        level=fields.level(),
        split=fields.split(),
    )
