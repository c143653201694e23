"""From a specification to a verifier.

A specification is JSON: `{"kind": "number", "tolerance": 1e-6}`, or just "number". Combinators
hold others: `{"kind": "all", "of": ["exact", {"kind": "schema", "schema": {…}}]}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pkgutil import resolve_name
from typing import Any

from improvement.verifiers.base import SpecError, Verifier, Workshop

Maker = Callable[[Mapping[str, Any], Workshop], Verifier]
"""(settings without "kind", workshop) → the verifier; SpecError names a field that is wrong."""

KINDS: dict[str, str] = {
    "goal_state": "improvement.verifiers.goal_state:make",
    "exact": "improvement.verifiers.exact:make",
    "number": "improvement.verifiers.number:make",
    "math": "improvement.verifiers.math:make",
    "schema": "improvement.verifiers.schema:make",
    "fields": "improvement.verifiers.fields:make",
    "unit_tests": "improvement.verifiers.unit_tests:make",
    "asserts": "improvement.verifiers.asserts:make",
    "reasoning_gym": "improvement.verifiers.reasoning_gym:make",
    "judge": "improvement.verifiers.judge:make",
    "person": "improvement.verifiers.person:make",
    "all": "improvement.verifiers.combined:make_all",
    "any": "improvement.verifiers.combined:make_any",
    "weighted": "improvement.verifiers.combined:make_weighted",
    "first_decisive": "improvement.verifiers.combined:make_first_decisive",
}


def build(
    spec: str | Mapping[str, Any],
    workshop: Workshop | None = None,
    more: Mapping[str, str] | None = None,
) -> Verifier:
    """The verifier of a specification. `more` adds kinds (name → "module:maker"), for the parts
    of combinators too.

    SpecError when the kind is unknown or a setting makes no sense.
    """
    values = {"kind": spec} if isinstance(spec, str) else dict(spec)
    kind = values.pop("kind", None)
    workshop = workshop or Workshop()
    if more:
        workshop = replace(workshop, kinds={**workshop.kinds, **more})
    known = {**KINDS, **workshop.kinds}
    if not isinstance(kind, str) or kind not in known:
        raise SpecError(f"verifier kind {kind!r} is unknown. Kinds: {', '.join(sorted(known))}.")
    maker: Maker = resolve_name(known[kind])
    return maker(values, workshop)
