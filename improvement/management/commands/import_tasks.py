"""`manage.py import_tasks SUITE FILE`: bring a file of tasks into a suite."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from improvement.ingest.tasks import FORMATS, read
from improvement.jobs.importing import verifier_problem
from improvement.jobs.importing.command import Source, add_arguments, bring
from improvement.jobs.importing.progress import size_of


class Command(BaseCommand):
    help = (
        "Bring a file of tasks into a suite: native JSON lines, GSM8K, HumanEval, MBPP or CSV. "
        "Bad lines are named and left out; running it again adds only what is new."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("suite", help="the suite's name; made when it is new")
        parser.add_argument("file", help="a file, or - for the standard input")
        parser.add_argument("--format", choices=FORMATS, default="auto", help="default auto")
        parser.add_argument(
            "--verifier",
            type=_verifier,
            default=None,
            metavar="JSON",
            help='for tasks that name none: a kind, or {"kind": …}',
        )
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            stream = _opened(options["file"])
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}") from error
        with stream:
            lines = read(stream, options["format"], verifier_problem)
            source = Source(
                options["file"], "import tasks", lines, size_of(stream), lambda _: _tell(stream)
            )
            good = bring(options["suite"], source, options, self.stdout, self.stderr)
        if not good:
            sys.exit(1)


def _opened(name: str) -> BinaryIO:
    return sys.stdin.buffer if name == "-" else open(name, "rb")


def _tell(stream: BinaryIO) -> int:
    try:
        return stream.tell()
    except OSError:
        return 0


def _verifier(text: str) -> dict[str, Any]:
    if not text.lstrip().startswith("{"):
        return {"kind": text.strip()}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentTypeError(f"is not JSON: {error}") from error
    return dict(value)
