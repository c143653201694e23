"""`manage.py verify TASKS OUTPUTS`: verdicts for a file of outputs, without a database."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from improvement.ingest.tasks.read import FORMATS, FormatError, read
from improvement.jobs.context import StageFailed
from improvement.jobs.workshop import workshop
from improvement.verifiers.base import SpecError, Verifier
from improvement.verifiers.build import build
from improvement.verifying import Bench, Verdict, attempts, verdicts

UNREADABLE = 2
MOST_SKIPPED = 20
SHOWN_LETTERS = 60


class Command(BaseCommand):
    help = (
        "Judge a file of outputs against a file of tasks, without a database. Ends with 0 when "
        "every line got its verdict (pass, fail or error), with 2 when a file can't be read."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tasks", type=Path, help="the tasks, one a line")
        parser.add_argument("outputs", type=Path, help='{"task": id, "output": text} a line')
        parser.add_argument("--json", action="store_true", help="write one JSON object a line")
        parser.add_argument("--format", default="auto", choices=FORMATS, help="of the tasks")
        parser.add_argument("--verifier", help="JSON of the verifier that judges every task")
        parser.add_argument(
            "--strict", action="store_true", help="end with 1 where a line got an error"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        bench = self._bench(options)
        started = time.monotonic()
        with _opened(options["outputs"]) as stream:
            try:
                counts = self._judge(bench, stream, options["json"], started)
            except BrokenPipeError:  # whoever read has read enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return
        self._summary(counts, time.monotonic() - started, options["json"])
        if options["strict"] and counts["error"]:
            sys.exit(1)

    def _bench(self, options: Mapping[str, Any]) -> Bench:
        try:
            given = workshop()
            bench = Bench(lambda spec: _built(spec, given), _spec(options["verifier"]))
            if bench.spec is not None:
                _built(bench.spec, given)
            bench.load(read(options["tasks"], options["format"]))
        except OSError as error:
            said = f"The tasks can't be read: {error}"
            raise CommandError(said, returncode=UNREADABLE) from error
        except (FormatError, SpecError, StageFailed) as error:
            raise CommandError(str(error), returncode=UNREADABLE) from error
        for said in bench.skipped[:MOST_SKIPPED]:
            self.stderr.write(_clean(f"{options['tasks'].name}: {said}"))
        if len(bench.skipped) > MOST_SKIPPED:
            self.stderr.write(f"and {len(bench.skipped) - MOST_SKIPPED:,} lines more")
        if not bench.tasks:
            raise CommandError("The file holds no task that can be read.", returncode=UNREADABLE)
        return bench

    def _judge(
        self, bench: Bench, stream: BinaryIO, as_json: bool, started: float
    ) -> Counter[str]:
        counts = Counter[str]()
        for verdict in verdicts(bench, attempts(stream)):
            counts[verdict.judged.answer] += 1
            self.stdout.write(verdict.as_json() if as_json else _line(verdict))
            self._progress(counts.total(), started)
        self.stdout.flush()
        return counts

    def _progress(self, done: int, started: float) -> None:
        """Where a person watches, and the verdicts go somewhere else."""
        if done % 50 == 0 and _is_watched():
            rate = done / (time.monotonic() - started)
            self.stderr.write(f"\r{done:,} judged, {rate:,.0f}/s", ending="")

    def _summary(self, counts: Counter[str], seconds: float, as_json: bool) -> None:
        if _is_watched():
            self.stderr.write("")
        if not as_json:
            said = ", ".join(f"{counts[answer]:,} {answer}" for answer in ("pass", "fail", "error"))
            self.stdout.write(f"{counts.total():,} outputs: {said} ({seconds:.1f} s)")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        said = f"The outputs can't be read: {error}"
        raise CommandError(said, returncode=UNREADABLE) from error


def _is_watched() -> bool:
    return sys.stderr.isatty() and not sys.stdout.isatty()


def _spec(text: str | None) -> str | Mapping[str, Any] | None:
    """"number" and {"kind": "number"} are the same."""
    if text is None:
        return None
    try:
        value = json.loads(text) if text.lstrip()[:1] in ("{", '"') else text.strip()
    except (ValueError, RecursionError) as error:
        raise SpecError(f"--verifier is not JSON: {error}") from error
    return value  # build() says what is wrong with it


def _built(spec: str | Mapping[str, Any], given: Any) -> Verifier:
    return build(spec, given, settings.PAWL_VERIFIERS)


def _line(verdict: Verdict) -> str:
    judged = verdict.judged
    reason = str(judged.evidence.get("reason", ""))
    task, kind = verdict.attempt.task or "-", verdict.verifier or "-"
    took = f"{judged.latency_ms:.1f} ms"
    said = reason[:200] + (_difference(judged.evidence) if judged.answer == "fail" else "")
    return _clean(f"{judged.answer:<5}  {task}  {said}  ({kind}, {took})")


def _difference(evidence: Mapping[str, Any]) -> str:
    """What was found in place of what, where the evidence knows both."""
    sides = [evidence.get(name) for name in ("found", "expected")]
    if None in sides:
        return ""
    found, expected = (json.dumps(v, ensure_ascii=False, default=str) for v in sides)
    return f": found {_short(found)}, expected {_short(expected)}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}…"


def _clean(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
