"""What the stage engine gives to the function that does a stage's work."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from improvement.models import Run, Stage
from improvement.records import Progress


class StageFailed(Exception):
    """The stage can't succeed by being tried again; the message is shown to people."""


class Cancelled(Exception):
    """A person cancelled the run."""


class FenceLost(Exception):
    """Another worker has claimed this stage: stop at once and write nothing more."""


class StageContext(Protocol):
    """`writing()` opens a transaction that holds only while this worker's fence is the stage's;
    every write of a stage happens in one. `progress()` shows and heartbeats; `check()` raises
    Cancelled or FenceLost and is called often. Both are cheap: they write at most once a second.
    """

    run: Run
    stage: Stage

    def writing(self) -> AbstractContextManager[None]: ...

    def progress(self, progress: Progress) -> None: ...

    def check(self) -> None: ...
