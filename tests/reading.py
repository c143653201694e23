"""A line of every task format, and reading lines as a file."""

from __future__ import annotations

import io
import json
from typing import Any

from improvement.ingest.tasks import Draft, Line, read

GSM8K = {
    "question": "Natalia sold clips to 48 friends, then half as many. How many?",
    "answer": "48/2 = <<48/2=24>>24.\n48+24 = 72.\n#### 1,072",
}
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def add(a, b):\n    """Add."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
}
MBPP = {
    "task_id": 2,
    "text": "Write a function to find the shared elements of two tuples.",
    "code": "def similar(a, b):\n    return tuple(set(a) & set(b))",
    "test_setup_code": "",
    "test_list": [
        "assert set(similar((3, 4), (5, 4))) == set((4,))",
        "assert similar((), ()) == ()",
    ],
}
NATIVE = {"prompt": "What is 2 + 2?", "reference": {"answer": "4"}}


def lines(*rows: Any, format: str = "auto", name: str = "") -> list[Line]:
    """What is read from rows: bytes as they are, all else as JSON."""
    data = b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in rows)
    stream = io.BytesIO(data)
    stream.name = name
    return list(read(stream, format))


def draft(row: Any, format: str = "auto") -> Draft:
    found = lines(row, format=format)[0]
    assert found.draft, found.problems
    return found.draft


def problems(row: Any, format: str = "native") -> dict[str, str]:
    found = lines(row, format=format)[0]
    assert found.draft is None
    return {problem.field: problem.message for problem in found.problems}
