"""The native schema: {"id", "prompt", "reference", "verifier", "family", "level", "split"}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from improvement.ingest.tasks.records import Draft, fingerprint_of
from improvement.ingest.tasks.values import Fields, kind_of


def draft(fields: Fields) -> Draft:
    """Only `prompt` and `reference` must be there."""
    prompt = fields.text("prompt")
    return Draft(
        id=fields.key("id") or made_id("task", prompt),
        prompt=prompt,
        reference=_reference(fields),
        verifier=specification(fields),
        family=fields.family("default"),
        level=fields.level(),
        split=fields.split(),
    )


def specification(fields: Fields) -> Mapping[str, Any]:
    """The line's own verifier: a kind's name or an object with "kind"; {} where it has none."""
    value = fields.get("verifier")
    if value is None or value == "" or value == {}:
        return {}
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, dict):
        return value
    fields.wrong("verifier", f"must be a kind's name or an object, not {kind_of(value)}")
    return {}


def made_id(prefix: str, prompt: str) -> str:
    """The id of a task that has none: the same for the same prompt, in any file."""
    return f"{prefix}-{fingerprint_of(prompt)[:16]}"


def _reference(fields: Fields) -> Mapping[str, Any]:
    """An object as it is; a bare text, number, truth or list becomes {"answer": …}."""
    before = len(fields.problems)
    value = fields.get("reference")
    if value is None and "reference" not in fields.values:
        fields.wrong("reference", "is missing (write {} for a task that needs none)")
    elif value is None and len(fields.problems) == before:
        fields.wrong("reference", "must be an object, text, number or list, not null")
    return value if isinstance(value, dict) else {"answer": value}
