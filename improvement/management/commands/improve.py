"""`manage.py improve AGENT`: start cycles of the loop and follow them."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from improvement.jobs import crew, follow, launch, shipped, terminal
from improvement.jobs.context import StageFailed
from improvement.models import Agent, Run, RunStates


class Command(BaseCommand):
    help = "Start improvement cycles of an agent, and follow them until they await review."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", help="the agent's name; till and coder are made on first use")
        parser.add_argument("--cycles", type=int, default=1, metavar="N", help="default 1")
        parser.add_argument("--no-follow", action="store_true", help="start them, and return")
        parser.add_argument("--by", default="", metavar="USER", help="who proposes the candidate")
        parser.add_argument("--seed", type=int, default=None, help="default: from name and cycle")
        parser.add_argument(
            "--recipe", type=_json, default=None, metavar="JSON", help="fields of the recipe"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = _person(options["by"])
            run = launch.launch(
                shipped.agent_named(options["agent"], person),
                actor=person,
                cycles=options["cycles"],
                recipe=options["recipe"],
                seed=options["seed"],
            )
        except (Agent.DoesNotExist, launch.Refused, StageFailed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{run} is queued: {follow.url()}/runs/{run.pk}/")
        if options["no_follow"]:
            if sentence := crew.unattended({stage.queue for stage in run.stages.all()}):
                self.stderr.write(sentence)
            return
        try:
            self._follow(run)
        except KeyboardInterrupt:
            self.stdout.write(
                "\nThis run goes on as long as Pawl runs. To stop it: "
                f"python manage.py cancel {self._latest(run).pk}"
            )
            sys.exit(130)

    def _follow(self, run: Run) -> None:
        """Through this run and the cycles that follow it by themselves."""
        console = Console() if self.stdout.isatty() else None
        following: Run | None = run
        while following is not None:
            run = terminal.show(following, self._say, console=console)
            if run.state in (RunStates.FAILED, RunStates.CANCELLED):
                raise CommandError(follow.ending(run))
            self._say(follow.ending(run))
            following = follow.following_run(run)
        if run.cycles_left:
            left = f"{run.cycles_left} more cycle{'s' if run.cycles_left > 1 else ''}"
            held = run.agent.hold
            self._say(
                f"{left}: not before the hold is released ({held.reason})"
                if held
                else f"{left} will start after the decision."
            )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    @staticmethod
    def _latest(run: Run) -> Run:
        return Run.objects.filter(agent_id=run.agent_id).order_by("-cycle")[0]


def _person(name: str) -> User | None:
    if not name:
        return None
    person = User.objects.filter(username=name).first()
    if person is None:
        raise CommandError(f"There is no user {name!r}.")
    return person


def _json(text: str) -> dict[str, Any]:
    value = json.loads(text)  # a ValueError becomes argparse's own message
    if not isinstance(value, dict):
        raise ValueError("a recipe is a JSON object")
    return value
