"""Compiling a JSON Schema (Draft 2020-12) so that checking an answer always ends.

Nothing is ever fetched: a $ref leads into the schema itself or to the draft's own meta-schemas.
Checking stops after SECONDS, whatever the schema; equal items are found in linear time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_specifications
from jsonschema import Draft202012Validator, SchemaError, ValidationError, validators
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from improvement.records import canonical_json
from improvement.verifiers.base import SpecError
from improvement.verifiers.patterns import compiled

SECONDS = 5.0
MOST_SUBSCHEMAS = 5_000
MOST_PROBLEMS = 20
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REGISTRY: Registry[Any] = jsonschema_specifications.REGISTRY
_until: ContextVar[float] = ContextVar("until")


class TooSlow(Exception):
    """Checking took longer than SECONDS."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schema that is ready, and its patterns: for text, and for the names of properties."""

    validator: Any
    for_text: tuple[str, ...]
    for_names: tuple[str, ...]

    def problems(self, value: Any) -> list[ValidationError]:
        """At most MOST_PROBLEMS. TooSlow, RecursionError or Unresolvable where it can't end."""
        token = _until.set(time.monotonic() + SECONDS)
        try:
            return list(islice(self.validator.iter_errors(value), MOST_PROBLEMS))
        finally:
            _until.reset(token)


def compile_schema(schema: Any) -> Compiled:
    """SpecError when the schema makes no sense, refers to what it doesn't hold, or is too large."""
    if not isinstance(schema, Mapping) or not schema:
        raise SpecError("verifier schema: a schema must be an object that is not empty")
    if schema.get("$schema", DIALECT).rstrip("#") != DIALECT:
        raise SpecError(f"verifier schema: $schema must be {DIALECT}, not {schema['$schema']!r}")
    try:
        plain = json.loads(canonical_json(schema))
        Draft202012Validator.check_schema(plain)
        parts = list(_subschemas(plain))
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "the schema"
        raise SpecError(f"verifier schema: {where}: {error.message[:300]}") from None
    except (RecursionError, TypeError, ValueError, Unresolvable) as error:
        raise SpecError(f"verifier schema: it does not compile: {str(error)[:300]}") from None
    for_text = tuple(part["pattern"] for part in parts if "pattern" in part)
    for_names = tuple(name for part in parts for name in part.get("patternProperties", ()))
    for pattern in (*for_text, *for_names):
        compiled(pattern)
    names_too = for_text if any("propertyNames" in part for part in parts) else ()
    return Compiled(_Limited(plain, registry=REGISTRY), for_text, (*for_names, *names_too))


def _subschemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema in `schema`, and those that its references lead to."""
    root = DRAFT202012.create_resource(schema)
    waiting, seen = [(root, REGISTRY.resolver_with_root(root))], set[int]()
    while waiting:
        resource, resolver = waiting.pop()
        if not isinstance(resource.contents, dict) or id(resource.contents) in seen:
            continue
        seen.add(id(resource.contents))
        if len(seen) > MOST_SUBSCHEMAS:
            raise ValueError(f"it has more than {MOST_SUBSCHEMAS:,} parts")
        yield resource.contents
        for keyword in ("$ref", "$dynamicRef"):
            if keyword in resource.contents:
                target = resolver.lookup(resource.contents[keyword])
                waiting.append((DRAFT202012.create_resource(target.contents), target.resolver))
        waiting += [(sub, resolver.in_subresource(sub)) for sub in resource.subresources()]


def _limited(keyword: Callable[..., Any]) -> Callable[..., Any]:
    """The keyword, refusing to start once the time is over."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        if time.monotonic() > _until.get():
            raise TooSlow
        return keyword(validator, value, instance, schema)

    return check


def _unique_items(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:  # noqa: ARG001
    """In linear time; the library's own is quadratic for mixed lists."""
    if wanted and isinstance(instance, list):
        known = {canonical_json(_alike(item)) for item in instance}
        if len(known) < len(instance):
            yield ValidationError(f"{instance!r} has non-unique elements")


def _alike(value: Any) -> Any:
    """JSON Schema holds 1.0 and 1 to be equal."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _alike(part) for key, part in value.items()}
    return [_alike(part) for part in value] if isinstance(value, list) else value


_Limited: Any = validators.extend(
    Draft202012Validator,
    {
        **{name: _limited(check) for name, check in Draft202012Validator.VALIDATORS.items()},
        "uniqueItems": _limited(_unique_items),
    },
)
