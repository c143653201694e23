"""`manage.py rollback AGENT`: the same as the button."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from improvement.models import Agent, Candidate
from improvement.promotion import Refused, roll_back


class Command(BaseCommand):
    help = "Make an earlier champion of an agent serve again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", help="the agent's name")
        parser.add_argument("--to", default="", metavar="NAME", help="for example till-2")
        parser.add_argument("--reason", required=True, help="kept in the audit trail for good")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            agent = Agent.objects.named(options["agent"])
            to = _champion_named(agent, options["to"]) if options["to"] else None
            deployment = roll_back(agent, actor=None, reason=options["reason"], to=to)
        except (Agent.DoesNotExist, Refused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{deployment.candidate} serves {agent} now.")


def _champion_named(agent: Agent, name: str) -> Candidate:
    """The candidate called NAME (`till-2`, or just `2`) of this agent."""
    served = Candidate.objects.filter(agent=agent, deployments__isnull=False).distinct()
    for candidate in served.select_related("agent"):
        if name in (str(candidate), str(candidate.number)):
            return candidate
    names = ", ".join(str(c) for c in served.select_related("agent").order_by("number"))
    raise CommandError(f"{name!r} never served {agent}. These did: {names or 'none yet'}.")
