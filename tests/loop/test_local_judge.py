"""A judge on a local model: one engine in a process, and questions that don't meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from improvement.jobs.workshop import workshop
from improvement.records import Message
from tests.loop.cycle import base

__all__ = ["base"]


def test_questions_asked_at_once_are_answered_as_if_alone(
    base: Path, settings: Any, tmp_path: Path
) -> None:
    settings.PAWL_HOME = tmp_path
    local = workshop().local
    assert local is not None
    write = local(str(base))
    asked = [[Message("user", f"customer wants {n} lamps")] for n in range(8)]
    alone = [write(messages, 1) for messages in asked]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda messages: write(messages, 1), asked))
    assert together == alone
