"""Fields by their paths: "total", "items.0.price", or as a JSON Pointer "/a.b/0" where a key holds
a dot. A reference may be nested, by path, or both; a list is its items and its length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
ABSENT: Any = object()
"""What is found where there is nothing."""


def path_of(name: str) -> Path:
    if name.startswith("/"):
        return tuple(p.replace("~1", "/").replace("~0", "~") for p in name[1:].split("/"))
    return tuple(name.split("."))


def written(path: Path) -> str:
    """The inverse of `path_of`."""
    if any("." in part or part.startswith("/") or not part for part in path):
        return "".join("/" + p.replace("~", "~0").replace("/", "~1") for p in path)
    return ".".join(path) or "(all of it)"


def leaves(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each value that holds no other, with its path; an empty object or list is one of them."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from leaves(part, at + ((key,) if at else path_of(key)))
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from leaves(part, (*at, str(index)))
    else:
        yield at, value


def plain_leaves(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """As `leaves`, with keys taken as they are: for what a model wrote."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from plain_leaves(part, (*at, key))
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from plain_leaves(part, (*at, str(index)))
    else:
        yield at, value


def lengths(value: Any, at: Path = ()) -> Iterator[tuple[Path, int]]:
    """The length of every list in a reference."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from lengths(part, at + ((key,) if at else path_of(key)))
    elif isinstance(value, list):
        yield at, len(value)
        for index, part in enumerate(value):
            yield from lengths(part, (*at, str(index)))


def look_up(value: Any, path: Path) -> Any:
    """What stands at `path`, or ABSENT."""
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit() and len(part) < 7:
            index = int(part)
            if str(index) != part or index >= len(value):
                return ABSENT
            value = value[index]
        else:
            return ABSENT
    return value


def built(fields: Mapping[Path, Any]) -> Any:
    """A value that has these leaves: an object whose keys are 0, 1, 2 … is a list."""
    if () in fields:
        return fields[()]
    groups: dict[str, dict[Path, Any]] = {}
    for path, value in fields.items():
        groups.setdefault(path[0], {})[path[1:]] = value
    inner = {key: built(group) for key, group in groups.items()}
    is_list = set(inner) == {str(index) for index in range(len(inner))}
    return [inner[str(index)] for index in range(len(inner))] if is_list else inner
