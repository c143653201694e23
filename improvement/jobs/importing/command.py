"""What `import_tasks` and `generate_tasks` do alike: open the suite, keep, report."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.db import transaction
from rich.console import Console

from improvement.ingest.tasks import Line
from improvement.jobs.importing import Report, import_tasks, shape_of, verifier_problem
from improvement.jobs.importing.progress import Watcher, sentences
from improvement.jobs.importing.report import Shape
from improvement.jobs.importing.suites import SuiteRefused, open_suite, record_import
from improvement.models import Suite


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines come from. `total` and `done`: see Watcher."""

    name: str
    verb: str
    lines: Iterable[Line]
    total: int
    done: Any


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--title", default=None, help="the suite's title")
    parser.add_argument(
        "--system-prompt", default=None, metavar="TEXT", help="what an agent over it is told"
    )
    parser.add_argument("--dry-run", action="store_true", help="report, and keep nothing")
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    parser.add_argument("--by", default="", metavar="USER", help="whose act this is")


def bring(
    name: str, source: Source, options: Mapping[str, Any], out: OutputWrapper, err: OutputWrapper
) -> bool:
    """Import `source` into the suite `name` and say what came of it; whether anything was good."""
    actor = _person(options["by"])
    console = Console(stderr=True) if err.isatty() else None
    watch = Watcher(source.total, source.done, err.write, console)
    try:
        with watch.shown():
            report, shape = _import(name, source, options, actor, watch)
    except KeyboardInterrupt:
        err.write("Stopped. What was read is kept: run it again to go on.")
        sys.exit(130)
    if options["json"]:
        said = {"suite": name, "dry_run": options["dry_run"], **report.as_json()}
        said["suite_has"] = asdict(shape)
        out.write(json.dumps(said, ensure_ascii=False))
    else:
        for sentence in (*sentences(report, options["dry_run"]), *_about(name, shape)):
            out.write(sentence)
    return bool(report.added or report.there)


def _import(
    name: str, source: Source, options: Mapping[str, Any], actor: User | None, watch: Watcher
) -> tuple[Report, Shape]:
    if not options["dry_run"]:
        return _keep(name, source, options, actor, watch)
    with transaction.atomic():
        found = _keep(name, source, options, actor, watch)
        transaction.set_rollback(True)
    return found


def _keep(
    name: str, source: Source, options: Mapping[str, Any], actor: User | None, watch: Watcher
) -> tuple[Report, Shape]:
    suite = _suite(name, options, actor)
    report = import_tasks(suite, source.lines, watch)
    record_import(source.verb, suite, report, source.name, actor)
    return report, shape_of(suite)


def _suite(name: str, options: Mapping[str, Any], actor: User | None) -> Suite:
    verifier = options.get("verifier")
    if verifier and (problem := verifier_problem(verifier)):
        raise CommandError(problem)
    try:
        return open_suite(name, options, actor)[0]
    except SuiteRefused as error:
        raise CommandError(str(error)) from error


def _about(name: str, shape: Shape) -> Iterable[str]:
    splits = ", ".join(f"{count:,} {split}" for split, count in sorted(shape.splits.items()))
    yield (
        f"Suite {name}: {shape.tasks:,} {_many(shape.tasks, 'task')} ({splits or 'none'}) in "
        f"{shape.clusters:,} {_many(shape.clusters, 'cluster')} of near-duplicates; "
        f"the largest holds {shape.largest:,}."
    )
    if shape.warning:
        yield f"Careful: {shape.warning}"


def _many(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _person(name: str) -> User | None:
    person = User.objects.filter(username=name).first() if name else None
    if name and person is None:
        raise CommandError(f"There is no user {name!r}.")
    return person
