"""Verdicts that were already paid for: one small file each, named by the digest of its question.

Holds the verdict and its reason, never a prompt, an attempt or a key. A file that is damaged or
can't be read counts as absent and is written anew; a folder that can't be written costs calls, not
verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from improvement.verifiers.judging.answers import LONGEST, Verdict, parse
from improvement.verifiers.judging.files import write_private
from improvement.verifiers.judging.troubles import Nonsense


@dataclass(frozen=True, slots=True)
class Cache:
    """`folder` None: nothing is kept."""

    folder: Path | None = None

    def get(self, key: str, words: Collection[str]) -> Verdict | None:
        if self.folder is None:
            return None
        try:
            with self._path(self.folder, key).open("rb") as file:
                return parse(file.read(LONGEST).decode(), words)
        except (OSError, ValueError, Nonsense):
            return None

    def put(self, key: str, verdict: Verdict) -> None:
        if self.folder is None:
            return
        path = self._path(self.folder, key)
        with suppress(OSError):
            write_private(path, json.dumps({"reason": verdict.reason, "verdict": verdict.word}))

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / key[:2] / f"{key}.json"
