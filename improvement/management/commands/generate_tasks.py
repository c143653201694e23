"""`manage.py generate_tasks SUITE --family NAME`: tasks from reasoning-gym families."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from improvement.ingest.reasoning_gym import GymMissing, drafts, families
from improvement.jobs.importing.command import Source, add_arguments, bring
from improvement.verifiers.families import REFUSED

MOST = 100_000


class Command(BaseCommand):
    help = (
        "Make tasks of reasoning-gym families in a suite. The same seed makes the same tasks, and "
        "only what is new is added."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("suite", nargs="?", default="", help="the suite's name")
        parser.add_argument("--family", default="", metavar="NAME[,NAME…]", help="which families")
        parser.add_argument("--count", type=int, default=500, help="tasks a family; default 500")
        parser.add_argument("--level", type=_levels, default=(1, 3), help="2 or 1-3; default 1-3")
        parser.add_argument("--seed", type=int, default=0, help="default 0")
        parser.add_argument("--list", action="store_true", help="the families and their levels")
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            known = families()
            if options["list"]:
                self._list(known)
            elif not self._make(known, options):
                sys.exit(1)
        except GymMissing as error:
            raise CommandError(str(error)) from error

    def _list(self, known: Mapping[str, int]) -> None:
        for family, levels in known.items():
            refused = REFUSED.get(family)
            said = f"refused: {refused}" if refused else f"{levels} level{'s'[: levels > 1]}"
            self.stdout.write(f"{family:<28} {said}")

    def _make(self, known: Mapping[str, int], options: dict[str, Any]) -> bool:
        if not options["suite"]:
            raise CommandError("Name the suite: generate_tasks SUITE --family NAME")
        names = _named(known, options["family"])
        if not 1 <= options["count"] <= MOST:
            raise CommandError(f"--count must be between 1 and {MOST:,}.")
        wanted = [each for name in names for each in _shares(name, known[name], options)]
        source = Source(
            name=f"reasoning-gym: {', '.join(names)}, seed {options['seed']}",
            verb="generate tasks",
            lines=drafts(wanted, options["seed"]),
            total=sum(count for _, _, count in wanted),
            done=lambda report: report.lines,
        )
        return bring(options["suite"], source, options, self.stdout, self.stderr)


def _named(known: Mapping[str, int], text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise CommandError("Name a family with --family; --list shows all.")
    for name in names:
        if name not in known:
            raise CommandError(f"There is no family {name!r}; --list shows all.")
        if name in REFUSED:
            raise CommandError(f"Family {name} is refused: {REFUSED[name]}.")
    return names


def _shares(name: str, levels: int, options: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """The family's tasks, spread evenly over those of the asked levels that it has."""
    low, high = options["level"]
    if low > levels:
        raise CommandError(f"Family {name} has {levels} levels; {low} was asked for.")
    asked = range(low, min(high, levels) + 1)
    whole, rest = divmod(options["count"], len(asked))
    shares = [(name, level, whole + (place < rest)) for place, level in enumerate(asked)]
    return [share for share in shares if share[2]]


def _levels(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d?)(?:-([1-9]\d?))?", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= low <= high:
        raise ArgumentTypeError(f"{text!r} is neither a level (2) nor a range of levels (1-3)")
    return low, high
