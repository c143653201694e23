"""`manage.py resume RUN`: go on with a failed or cancelled run."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from improvement.jobs import launch
from improvement.models import Run


class Command(BaseCommand):
    help = "Go on with a failed or cancelled run from its first unfinished stage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="the run's number, as `status` shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = Run.objects.select_related("agent").get(pk=options["run"])
            launch.resume(run, None)
        except Run.DoesNotExist as error:
            raise CommandError(f"There is no run {options['run']}.") from error
        except launch.Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{run} (run {run.pk}) goes on from its first unfinished stage.")
