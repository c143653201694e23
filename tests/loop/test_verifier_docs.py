"""docs/verifiers.md: every example is built, and every task in it accepts its own gold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings

from improvement.ingest.tasks.read import read
from improvement.verifiers.base import Endpoint, Workshop, trajectory_of
from improvement.verifiers.build import KINDS, build
from improvement.verifiers.text import PLACES, STEPS

TEXT = (settings.BASE_DIR / "docs" / "verifiers.md").read_text()
WORKSHOP = Workshop(endpoints={"main": Endpoint("https://api.example.com/v1", "judge-large")})
SPECS = [json.loads(block) for block in re.findall(r"```json\n(.+?)\n```", TEXT, re.DOTALL)]
LINES = "\n".join(re.findall(r"```jsonl\n(.+?)\n```", TEXT, re.DOTALL)).splitlines()


@pytest.mark.parametrize("spec", SPECS, ids=[str(spec) for spec in SPECS])
def test_every_specification_in_the_docs_is_built(spec: dict[str, Any]) -> None:
    assert build(spec, WORKSHOP).kind == spec["kind"]


@pytest.mark.parametrize("line", LINES, ids=[json.loads(line)["id"] for line in LINES])
def test_every_task_in_the_docs_is_read_and_accepts_its_own_gold(line: str) -> None:
    import io

    (found,) = read(io.BytesIO(line.encode()))
    assert found.draft is not None, found.problems
    task = found.draft.as_record()
    verifier = build(task.verifier, WORKSHOP)
    gold = verifier.gold(task)
    assert gold is not None
    assert verifier.judge(task, trajectory_of(task, gold)).answer == "pass"


def test_the_docs_name_every_kind_place_and_step() -> None:
    for name in (*KINDS, *PLACES, *STEPS):
        assert f"`{name}`" in TEXT, name
