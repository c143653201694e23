"""The judges of this installation, from its environment.

PAWL_JUDGES is JSON: {"name": {"url": "https://host/v1", "model": "…", "private": false,
"timeout": 30}}. Keys are kept apart, each bound to its address (see keys.py): an endpoint whose
address was changed since is not sent its key, and answers with an error until it is entered anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from improvement.verifiers.base import Endpoint
from improvement.verifiers.judging.address import target_of
from improvement.verifiers.judging.keys import keys_file, read_keys

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
FIELDS = {"url", "model", "private", "timeout"}
LONGEST_TIMEOUT = 600.0
MOVED = (
    "the key was entered for another address, so it is not sent; "
    "enter it anew with `manage.py judge_key {}`"
)


class EndpointsRefused(ValueError):
    """PAWL_JUDGES makes no sense; the message names the endpoint, the field and the remedy."""


def read_endpoints(environ: Mapping[str, str]) -> dict[str, Endpoint]:
    """The endpoints with their keys. EndpointsRefused or KeysRefused (both ValueError)."""
    known = describe_endpoints(environ)
    keys = read_keys(keys_file(environ)) if known else {}
    return {name: _with_key(name, endpoint, keys.get(name)) for name, endpoint in known.items()}


def describe_endpoints(environ: Mapping[str, str]) -> dict[str, Endpoint]:
    """The endpoints without their keys."""
    text = environ.get("PAWL_JUDGES", "").strip()
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        remedy = 'Write {"name": {"url": …, "model": …}}.'
        raise EndpointsRefused(f"PAWL_JUDGES is not JSON. {remedy}") from None
    if not isinstance(value, dict):
        raise EndpointsRefused("PAWL_JUDGES must be a JSON object: name → endpoint.")
    return {name: _endpoint(name, entry) for name, entry in value.items()}


def _endpoint(name: str, entry: Any) -> Endpoint:
    where = f"PAWL_JUDGES, endpoint {name!r}"
    if not NAME.fullmatch(name):
        raise EndpointsRefused(f"{where}: a name has small letters, digits, - and _ (40 at most).")
    if not isinstance(entry, dict):
        raise EndpointsRefused(f'{where}: write {{"url": …, "model": …}}.')
    if unknown := sorted(set(entry) - FIELDS):
        hint = f" Keys are stored with `manage.py judge_key {name}`." if "key" in unknown[0] else ""
        raise EndpointsRefused(f"{where}: there is no field {unknown[0]!r}.{hint}")
    url, model = entry.get("url"), entry.get("model")
    if not isinstance(url, str) or not isinstance(model, str) or not model.strip():
        raise EndpointsRefused(f'{where}: "url" and "model" must be text.')
    private, timeout = entry.get("private", False), entry.get("timeout", 30.0)
    if not isinstance(private, bool):
        raise EndpointsRefused(f'{where}: "private" must be true or false.')
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise EndpointsRefused(f'{where}: "timeout" must be seconds.')
    if not 0 < timeout <= LONGEST_TIMEOUT:
        limit = f"above 0 and at most {LONGEST_TIMEOUT:g}"
        raise EndpointsRefused(f'{where}: "timeout" must be {limit}.')
    try:
        tidy = target_of(url).url
    except ValueError as error:
        raise EndpointsRefused(f"{where}: {error}.") from None
    return Endpoint(url=tidy, model=model, private=private, timeout=float(timeout))


def _with_key(name: str, bare: Endpoint, kept: Mapping[str, str] | None) -> Endpoint:
    if kept is None:
        return bare
    moved = kept["url"] != bare.url
    return Endpoint(
        url=bare.url,
        model=bare.model,
        key="" if moved else kept["key"],
        private=bare.private,
        timeout=bare.timeout,
        trouble=MOVED.format(name) if moved else "",
    )
