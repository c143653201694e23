"""The settings of a judge: read strictly, and completed with every default.

The completed settings hold all that changes a verdict (rubric, model and address too), so that the
verifier's digest covers it; they never hold a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from improvement.verifiers.base import Endpoint, SpecError, Workshop
from improvement.verifiers.judging.address import target_of

DEFAULTS: dict[str, Any] = {"votes": 3, "show_reference": True, "compare": None, "longest": 20_000}
SERVER_DEFAULTS: dict[str, Any] = {"temperature": 0.7, "max_tokens": 1_000}
MOST_VOTES = 15
LONGEST_RUBRIC = 20_000


def complete(given: Mapping[str, Any], workshop: Workshop) -> dict[str, Any]:
    """Every setting; SpecError names the one that is wrong and what to write instead."""
    local = given.get("local", False)
    if not isinstance(local, bool) or local == ("endpoint" in given):
        _no("endpoint", 'name one of this installation, or write "local": true and a "model"')
    source = _local(given, workshop) if local else _server(given, workshop)
    defaults = DEFAULTS if local else {**DEFAULTS, **SERVER_DEFAULTS}
    names = {*defaults, *source, "rubric"}
    if unknown := sorted(set(given) - names):
        _no(unknown[0], f"there is no such setting here; there are {', '.join(sorted(names))}")
    settings = {**defaults, **given, **source}
    _check(settings)
    return settings


def _server(given: Mapping[str, Any], workshop: Workshop) -> dict[str, Any]:
    name = given["endpoint"]
    endpoint = workshop.endpoints.get(name) if isinstance(name, str) else None
    if endpoint is None:
        known = ", ".join(sorted(workshop.endpoints)) or "none (set PAWL_JUDGES)"
        _no("endpoint", f"{name!r} is unknown. Known: {known}")
    found = {"endpoint": name, "model": endpoint.model, "url": _tidy(endpoint)}
    for field in ("model", "url"):  # a specification may pin them: another one is refused
        if field in given and given[field] != found[field]:
            _no(field, f"endpoint {name!r} now has another {field}: {found[field]!r}")
    return found


def _tidy(endpoint: Endpoint) -> str:
    try:
        return target_of(endpoint.url).url
    except ValueError as error:
        _no("endpoint", str(error))


def _local(given: Mapping[str, Any], workshop: Workshop) -> dict[str, Any]:
    model = given.get("model")
    if not isinstance(model, str) or not model.strip():
        _no("model", "name the local model that judges")
    if workshop.local is None:
        _no("local", "no local model can be loaded here")
    return {"local": True, "model": model}


def _check(settings: Mapping[str, Any]) -> None:
    rubric = settings.get("rubric")
    if not isinstance(rubric, str) or not rubric.strip() or len(rubric) > LONGEST_RUBRIC:
        _no("rubric", f"write in words what passes ({LONGEST_RUBRIC:,} characters at most)")
    try:
        rubric.encode()
    except UnicodeEncodeError:
        _no("rubric", "it is not valid UTF-8")
    _whole(settings, "votes", 1, MOST_VOTES)
    _whole(settings, "longest", 1, 1_000_000)
    if not isinstance(settings["show_reference"], bool):
        _no("show_reference", "write true or false")
    if settings["compare"] not in (None, "reference"):
        _no("compare", 'write "reference" or leave it out')
    if settings.get("max_tokens") is not None:
        _whole(settings, "max_tokens", 16, 100_000)
    heat = settings.get("temperature")
    if heat is not None and (isinstance(heat, bool) or not isinstance(heat, int | float)):
        _no("temperature", "write a number, or null to leave it to the server")
    if heat is not None and not 0 <= heat <= 2:
        _no("temperature", "write a number from 0 to 2")


def _whole(settings: Mapping[str, Any], field: str, least: int, most: int) -> None:
    value = settings[field]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        _no(field, f"write a whole number from {least:,} to {most:,}")


def _no(field: str, remedy: str) -> NoReturn:
    raise SpecError(f"verifier judge, {field}: {remedy}.")
