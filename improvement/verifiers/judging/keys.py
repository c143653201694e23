"""The file of the endpoints' keys. A key is bound to the address that it was entered for.

{"name": {"key": "…", "url": "https://host/v1/chat/completions"}}, readable by its owner alone.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from improvement.verifiers.judging.address import target_of
from improvement.verifiers.judging.client import KEY
from improvement.verifiers.judging.files import write_private

LARGEST = 1 << 20


class KeysRefused(ValueError):
    """The file is not as it must be. The message names the remedy, never a key."""


def keys_file(environ: Mapping[str, str]) -> Path:
    """PAWL_JUDGE_KEYS, else `judge-keys.json` in PAWL_HOME."""
    given = environ.get("PAWL_JUDGE_KEYS")
    path = Path(given) if given else Path(environ.get("PAWL_HOME", ".pawl")) / "judge-keys.json"
    return path.expanduser().absolute()


def read_keys(path: Path) -> dict[str, dict[str, str]]:
    """Name → {"key", "url"}; empty where there is no file."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeysRefused(f"{path} can be read by others. Run: chmod 600 {path}")
            value = json.loads(file.read(LARGEST))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise KeysRefused(f"{path} can't be read: {error.strerror}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise KeysRefused(f"{path} is not JSON. Enter the keys anew.") from None
    if not isinstance(value, dict) or not all(_sound(entry) for entry in value.values()):
        raise KeysRefused(f'{path} must map each name to {{"key": …, "url": …}} and no more.')
    return value


def store_key(path: Path, name: str, url: str, key: str) -> None:
    """Keep `key` for `name` at `url` and nowhere else; an empty key removes what is kept."""
    if key and not KEY.fullmatch(key):
        raise KeysRefused("A key is one line of visible ASCII characters without spaces.")
    kept = {known: entry for known, entry in read_keys(path).items() if known != name}
    if key:
        kept[name] = {"key": key, "url": target_of(url).url}
    write_private(path, json.dumps(kept, indent=2) + "\n")


def _sound(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"key", "url"}
        and all(isinstance(part, str) for part in entry.values())
    )
