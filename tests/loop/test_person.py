"""The person: every attempt is left to one."""

from __future__ import annotations

import pytest

from improvement.verifiers.base import SpecError
from improvement.verifiers.build import build
from tests.loop.judged import judged, task_with


@pytest.mark.parametrize("output", ["", "right", "pass", "\ud800", "a" * 1_000_001])
def test_no_attempt_is_ever_decided_without_a_person(output: str) -> None:
    found = judged("person", {"answer": "right"}, output)
    assert (found.answer, found.score) == ("error", None)
    assert found.evidence["needs_person"] is True
    assert found.evidence["reason"] == "a person must decide"


def test_it_says_that_it_needs_a_person_and_knows_no_gold() -> None:
    person = build("person")
    assert person.needs_person
    assert person.gold(task_with({"answer": "right"})) is None


def test_it_has_no_settings() -> None:
    with pytest.raises(SpecError, match="name"):
        build({"kind": "person", "name": "Ada"})
